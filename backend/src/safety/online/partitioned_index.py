"""An index on a partitioned table: PostgreSQL has no CONCURRENTLY for it (16 to 18), but for each of its partitions.

The index of the partitioned table is made ON ONLY it, which is instant, and is INVALID until every partition has
attached an index of its own; those are built CONCURRENTLY, one after the other.
"""

from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import Row
from sqlalchemy.schema import CreateIndex

from src.postgres.object_names import object_name
from src.safety.online.database import Database
from src.safety.online.duplicates import duplicates
from src.safety.online.names import ddl, literal, qualified, quoted, table_name
from src.safety.online.step import Step, Steps

_PARTITIONS = """
    WITH RECURSIVE parts AS (
      SELECT inhrelid AS oid, inhparent AS parent, 1 AS depth FROM pg_inherits WHERE inhparent = to_regclass(:table)
      UNION ALL SELECT i.inhrelid, i.inhparent, depth + 1 FROM pg_inherits i JOIN parts ON i.inhparent = parts.oid
    )
    SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'p' AS partitioned, parts.oid::regclass::text AS sql,
           parts.parent::regclass::text AS parent
    FROM parts JOIN pg_class c ON c.oid = parts.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    ORDER BY depth, c.relname
"""
# What PostgreSQL calls the index's columns, expressions and included ones too, and so what it names parts by.
_COLUMNS = """
    SELECT string_agg(attname, '_' ORDER BY attnum) AS names FROM pg_attribute WHERE attrelid = to_regclass(:index)
"""


def create_partitioned_index(construct: CreateIndex, database: Database) -> Steps:
    """From the top down the frames, each index of a partition then built and attached."""
    index = construct.element
    assert index.table is not None
    table, schema = table_name(index.table), index.table.schema
    obstacle = duplicates(index) if index.unique else None
    head, rest = _split(construct)
    yield Step(sql=f"{head} {quoted(str(index.name))} ON ONLY {table} {rest}", obstacle=obstacle)
    (top,) = database.ask("SELECT to_regclass(:table)::text AS sql", table=table)
    own = qualified(str(index.name), schema)
    columns = database.recall(f"columns of {own}", lambda: str(database.ask(_COLUMNS, index=own)[0].names))
    above = {top.sql: own}
    for part in database.ask(_PARTITIONS, table=table):
        child = _free_name(part, columns, database)
        name = qualified(child, part.schema)
        only, concurrently = ("ON ONLY", "") if part.partitioned else ("ON", " CONCURRENTLY")
        yield Step(sql=f"{head}{concurrently} {quoted(child)} {only} {part.sql} {rest}")
        yield Step(sql=f"ALTER INDEX {above[part.parent]} ATTACH PARTITION {name}", unless=_is_attached(name))
        above[part.sql] = name


def _free_name(part: Row[Any], columns: str, database: Database) -> str:
    """The name that PostgreSQL would give to the index of a partition: with a number where it is taken."""
    for number in count():
        name = object_name(part.name, columns, f"idx{number or ''}")
        if not database.recall_whether(f"{name} is taken", partial(_is_taken, name, part.schema, database)):
            return name
    raise AssertionError("count() has no end")


def _is_taken(name: str, schema: str, database: Database) -> bool:
    return bool(database.ask("SELECT oid FROM pg_class WHERE oid = to_regclass(:name)", name=qualified(name, schema)))


def _split(construct: CreateIndex) -> tuple[str, str]:
    """What comes before the index's name, and what comes after the table's."""
    index = construct.element
    assert index.table is not None
    index.dialect_options["postgresql"]["concurrently"] = False
    head, rest = ddl(construct).split(f" {quoted(str(index.name))} ON {table_name(index.table)} ", 1)
    return head, rest


def _is_attached(name: str) -> str:
    return f"SELECT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass({literal(name)}))"
