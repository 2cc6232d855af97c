"""Models and head revision make the same schema."""

from collections.abc import Iterator

from alembic import command

from src.safety.errors import ModelsDiffer
from src.safety.project import Project
from src.safety.testing.finding import Finding
from src.safety.testing.ground import Ground, on_ground


def models_equal_head(project: Project) -> Iterator[Finding]:
    """`alembic check` on a database that the chain has made. Raises `UserError` where it cannot be made."""
    for words in on_ground(project, _differences):
        yield Finding("models", "", words)


def _differences(ground: Ground) -> list[str]:
    command.upgrade(ground.config(), "heads")
    try:
        command.check(ground.config())
    except ModelsDiffer as error:
        return error.words
    return []
