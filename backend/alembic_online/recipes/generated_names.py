"""Names that PostgreSQL would choose itself: with a number at the end where they are taken.

One that the revision gives up above, in what waits for the cut-over, is free: also that of an index whose table goes.
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from sqlalchemy import Row

from alembic_online.postgres.locks.reader import statements
from alembic_online.postgres.sql.identifiers import object_name
from alembic_online.postgres.sql.tokens import Kind, tokens
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import folded, qualified

_HOLDER = """
    SELECT format('%I.%I', t.relnamespace::regnamespace, t.relname) AS table, ARRAY(
        SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = t.oid AND attnum = ANY ({columns})) AS columns
    FROM pg_class c
"""
_OF_INDEX = _HOLDER.format(columns="i.indkey::int2[]")
_RELATION = f"""
    {_OF_INDEX} LEFT JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = coalesce(i.indrelid, c.oid)
    WHERE c.oid = to_regclass(:name)
"""
_CONSTRAINT = f"""
    {_HOLDER.format(columns="k.conkey")}
    JOIN pg_constraint k ON k.connamespace = c.relnamespace JOIN pg_class t ON t.oid = k.conrelid
    WHERE c.oid = to_regclass(:table) AND k.conname = :name
"""
_INDEX = f"""
    {_OF_INDEX} JOIN pg_class r ON r.relnamespace = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = r.oid
    JOIN pg_class t ON t.oid = coalesce(i.indrelid, r.oid) WHERE c.oid = to_regclass(:table) AND r.relname = :name
"""
_OF_NEW_TABLE = f"""
    {_OF_INDEX.replace("SELECT", "SELECT c.relname::text AS name,", 1)} LEFT JOIN pg_index i ON i.indexrelid = c.oid
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
                         AND d.refclassid = 'pg_class'::regclass AND c.relkind = 'S'
    JOIN pg_class t ON t.oid = coalesce(i.indrelid, d.refobjid, c.oid)
    WHERE c.relnamespace::regnamespace::text = coalesce(nullif(:schema, ''), quote_ident(current_schema()))
      AND c.relkind IN ('i', 'I', 'S') AND (starts_with(c.relname, :start) OR c.relname = ANY (:names))
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


def frees_relation_name(name: str, table: str, database: Database) -> bool:
    """Whether a relation has this name in the schema of `table`, without quotes, and gives it up in what waits."""
    return any(_gives_up(name, each, database) for each in database.ask(_INDEX, table=table, name=name))


def frees_index_name(sql: str, database: Database) -> bool:
    """Whether `sql` makes an index of a name that is given up in what waits."""
    for reader in statements(sql):
        if reader.accept_any("CREATE INDEX", "CREATE UNIQUE INDEX") and not reader.comes("ON", "IF NOT EXISTS"):
            reader.accept("CONCURRENTLY")
            name = folded(reader.name())
            reader.accept("ON")
            reader.accept("ONLY")
            return frees_relation_name(name, reader.name(), database)
    return False


def frees_name_of_part(table: Sequence[str], sql: str, database: Database) -> bool:
    """Whether a key or sequence of a new `table`, which `sql` makes, may have a name that is given up in what waits."""
    *schema, name = map(folded, table)
    words = sorted({folded(token.text) for token in tokens(sql) if token.kind in (Kind.WORD, Kind.QUOTED_NAME)})
    found = database.ask(_OF_NEW_TABLE, schema="".join(schema), start=f"{name}_", names=words)
    return any(_gives_up(each.name, each, database) for each in found)


def _gives_up(name: str, holder: Row[Any], database: Database) -> bool:
    """Whether it, its table or a column of it goes, or it gets another name."""
    waits = database.cut_over
    own = any(waits.gives_up(kind, holder.table, name) for kind in _KINDS)
    return own or waits.drops_table(holder.table) or any(waits.drops("column", holder.table, c) for c in holder.columns)


def _free(first: str, second: str, label: str, database: Database, holders: Callable[[str], Sequence[Any]]) -> str:
    waits = database.cut_over

    def taken(name: str) -> bool:
        return any(not _gives_up(name, each, database) for each in holders(name)) or waits.makes(name)

    for number in count():
        name = object_name(first, second, f"{label}{number or ''}")
        if not database.recall_whether(f"{name} is taken", lambda name=name: taken(name)):  # type: ignore[misc]
            return name
    raise AssertionError("count() has no end")
