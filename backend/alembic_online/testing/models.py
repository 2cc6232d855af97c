"""Models and head revision make the same schema."""

from alembic import command

from alembic_online.errors import ModelsDiffer
from alembic_online.testing.sandbox import Ground


def differences_of_models(ground: Ground) -> list[str]:
    """`alembic check` on a database that the chain has made. Raises `UserError`."""
    try:
        command.check(ground.config())
    except ModelsDiffer as error:
        return error.words
    return []
