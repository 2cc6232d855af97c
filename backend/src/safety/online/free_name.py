"""Names that PostgreSQL would choose itself: with a number at the end where they are taken."""

from collections.abc import Callable
from itertools import count

from src.postgres.object_names import object_name
from src.safety.online.database import Database
from src.safety.online.names import qualified

_RELATION = "SELECT oid FROM pg_class WHERE oid = to_regclass(:name)"
_CONSTRAINT = """
    SELECT k.oid FROM pg_constraint k JOIN pg_class c ON c.relnamespace = k.connamespace
    WHERE c.oid = to_regclass(:table) AND k.conname = :name
"""


def free_relation_name(first: str, second: str, label: str, schema: str | None, database: Database) -> str:
    """For an index, in the schema of its table."""
    return _free(
        first, second, label, database, lambda name: bool(database.ask(_RELATION, name=qualified(name, schema)))
    )


def free_constraint_name(first: str, second: str, label: str, table: str, database: Database) -> str:
    """For a constraint; PostgreSQL keeps them apart in the whole schema of `table`."""
    return _free(first, second, label, database, lambda name: bool(database.ask(_CONSTRAINT, table=table, name=name)))


def _free(first: str, second: str, label: str, database: Database, taken: Callable[[str], bool]) -> str:
    for number in count():
        name = object_name(first, second, f"{label}{number or ''}")
        if not database.recall_whether(f"{name} is taken", lambda name=name: taken(name)):  # type: ignore[misc]
            return name
    raise AssertionError("count() has no end")
