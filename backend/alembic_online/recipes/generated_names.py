"""Names that PostgreSQL would choose itself: with a number at the end where they are taken.

One that the revision gives up above, in what waits for the cut-over, is free.
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from alembic_online.postgres.sql.identifiers import object_name
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import qualified

_RELATION = """
    SELECT format('%I.%I', t.relnamespace::regnamespace, t.relname) AS table FROM pg_class c
    LEFT JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = coalesce(i.indrelid, c.oid)
    WHERE c.oid = to_regclass(:name)
"""
_CONSTRAINT = """
    SELECT format('%I.%I', t.relnamespace::regnamespace, t.relname) AS table FROM pg_class c
    JOIN pg_constraint k ON k.connamespace = c.relnamespace JOIN pg_class t ON t.oid = k.conrelid
    WHERE c.oid = to_regclass(:table) AND k.conname = :name
"""
_INDEX = """
    SELECT format('%I.%I', t.relnamespace::regnamespace, t.relname) AS table FROM pg_class c
    JOIN pg_class r ON r.relnamespace = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = r.oid
    JOIN pg_class t ON t.oid = coalesce(i.indrelid, r.oid) WHERE c.oid = to_regclass(:table) AND r.relname = :name
"""
_KINDS = ("constraint", "index", "table", "view", "sequence")


def free_relation_name(first: str, second: str, label: str, schema: str | None, database: Database) -> str:
    """For an index, in the schema of its table."""
    return _free(first, second, label, database, lambda name: database.ask(_RELATION, name=qualified(name, schema)))


def free_constraint_name(first: str, second: str, label: str, table: str, database: Database) -> str:
    """For a constraint; PostgreSQL keeps them apart in the whole schema of `table`, and a key from relations too."""
    queries = (_CONSTRAINT, _INDEX) if label in ("pkey", "key") else (_CONSTRAINT,)

    def holders(name: str) -> list[Any]:
        return [row for query in queries for row in database.ask(query, table=table, name=name)]

    return _free(first, second, label, database, holders)


def _free(first: str, second: str, label: str, database: Database, holders: Callable[[str], Sequence[Any]]) -> str:
    waits = database.cut_over

    def taken(name: str) -> bool:
        stay = (not any(waits.gives_up(kind, each.table, name) for kind in _KINDS) for each in holders(name))
        return any(stay) or waits.makes(name)

    for number in count():
        name = object_name(first, second, f"{label}{number or ''}")
        if not database.recall_whether(f"{name} is taken", lambda name=name: taken(name)):  # type: ignore[misc]
            return name
    raise AssertionError("count() has no end")
