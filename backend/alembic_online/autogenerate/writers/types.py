"""What is the same for all types: their comments and privileges, and how one takes the place of another of its name."""

from collections.abc import Iterator
from typing import NamedTuple

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.statements import StatementWriter
from alembic_online.postgres.catalogue import CatalogueObject

_LONGEST = 63


def type_name(entry: CatalogueObject) -> str:
    """`public.theme`."""
    return quoted(entry.schema, entry.name)


def beside(name: str) -> str:
    """What the old type is called while the new one has its name."""
    return f"{name[: _LONGEST - 4]}_old"


class Passage(NamedTuple):
    """How a value goes from the old type to the new one: as `through`, and by a cast if assignment is not enough."""

    through: str = "text"
    cast: bool = True


class TypeWriter(StatementWriter):
    """A type, or a collation. What cannot be altered is replaced, with the columns of it: `replaced_types.py`."""

    word = "TYPE"

    def target(self, entry: CatalogueObject) -> str:
        return f"{self.word} {type_name(entry)}"

    def granted(self, entry: CatalogueObject) -> str:
        return f"TYPE {type_name(entry)}"

    def passage(self, change: Change, context: Context) -> Passage | None:
        """How the values go, if a new type must take the place of the old one."""
        return None

    def prepare(self, change: Change, context: Context) -> Iterator[MigrateOperation]:
        """What a reader should know before the type is replaced, and what is done to the old one."""
        return iter(())

    def aside(self, entry: CatalogueObject) -> Iterator[MigrateOperation]:
        """The lines that make room for a new type of the same name."""
        yield sql(f"ALTER {self.target(entry)} RENAME TO {quoted(beside(entry.name))}")
