"""Models and head revision make the same schema."""

from alembic import command

from src.safety.errors import ModelsDiffer
from src.safety.testing.ground import Ground


def differences_of_models(ground: Ground) -> list[str]:
    """`alembic check` on a database that the chain has made. Raises `UserError`."""
    try:
        command.check(ground.config())
    except ModelsDiffer as error:
        return error.words
    return []
