"""Models and head revision make the same schema."""

from alembic import command

from alembic_online.errors import ModelsDiffer
from alembic_online.runtime.own_thread import outside_of_loops
from alembic_online.testing.sandbox import Ground


def differences_of_models(ground: Ground) -> list[str]:
    """`alembic check` on a database that the chain has made. Raises `UserError`."""
    try:
        outside_of_loops(lambda: command.check(ground.config()))
    except ModelsDiffer as error:
        return error.words
    return []
