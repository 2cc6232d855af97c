"""CREATE INDEX and DROP INDEX: CONCURRENTLY, so that nobody waits (SHARE UPDATE EXCLUSIVE, PostgreSQL 16 to 18).

What a failed build left behind is dropped before the next try (`alembic_online.runner.interrupted_ddl`). On a
partitioned table, where CONCURRENTLY does not exist, each partition gets its index by itself (`partitioned_index`).
"""

from collections.abc import Iterator

from sqlalchemy.schema import CreateIndex, DropIndex
from sqlalchemy.sql import quoted_name

from alembic_online.postgres.sql.identifiers import object_name
from alembic_online.recipes.database import Database
from alembic_online.recipes.duplicates import duplicates
from alembic_online.recipes.expressions import is_expression
from alembic_online.recipes.index_build import plan_build
from alembic_online.recipes.index_in_place import in_place
from alembic_online.recipes.names import ddl, qualified, quoted, table_name
from alembic_online.recipes.partitioned_index import create_partitioned_index
from alembic_online.recipes.step import OnlineChange, Step, Steps

_IS_IDENTITY = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND indisreplident"
_TABLE_OF_INDEX = """
    SELECT i.indrelid::regclass::text AS table, c.relkind = 'I' AS partitioned
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.oid = to_regclass(:name)
"""


def create_index(construct: CreateIndex, database: Database) -> OnlineChange | None:
    """Build it CONCURRENTLY; the duplicates that would stop a unique one are looked for first."""
    index = construct.element
    if index.table is None or index.name is None:
        return None
    if (place := in_place(ddl(construct), database)) is not None:
        return place.change(database)
    name = qualified(str(index.name), index.table.schema)
    return OnlineChange(
        table_name(index.table), _create(construct, database), index=name, replacing=_replace(construct, database)
    )


def drop_index(construct: DropIndex, database: Database) -> OnlineChange | None:
    """Drop it CONCURRENTLY; the index of a partitioned table goes at once, which takes but an instant.

    None where it is not there: nothing is committed for a statement that does nothing, or fails.
    """
    index = construct.element
    schema = index.table.schema if index.table is not None else None
    name = qualified(str(index.name), schema)
    if (found := table_of_index(name, database)) is None:
        return None
    table, at_once = found
    # Another of its name is then made before it goes: see `_replace`.
    identity = bool(database.ask(_IS_IDENTITY, name=name))
    return OnlineChange(table, _drop(construct, at_once), index=name, always=identity)


def table_of_index(name: str, database: Database) -> tuple[str, bool] | None:
    """The table of an index, "" where it cannot be asked for, and whether it has parts; None for one that is missing.

    What an earlier try has dropped does not count as missing: this one goes on after it.
    """
    found = database.ask(_TABLE_OF_INDEX, name=name)
    if database.is_known and not database.recall_whether(f"{name} is there", lambda: bool(found)):
        return None
    has_parts = database.recall_whether(f"{name} has parts", lambda: bool(found and found[0].partitioned))
    return (found[0].table if found else ""), has_parts


def _create(construct: CreateIndex, database: Database) -> Steps:
    index = construct.element
    assert index.table is not None
    facts = database.table(table_name(index.table))
    build = plan_build(index, facts, database)
    yield from build.before
    if facts is not None and facts.partitioned:
        yield from create_partitioned_index(construct, database)
    else:
        yield Step(sql=_concurrently(construct), obstacle=duplicates(construct, database), says=build.says)
    yield from build.after
    if any(map(is_expression, index.expressions)):
        # Only ANALYZE makes the statistics of an expression, without which the planner guesses.
        yield Step(sql=f"ANALYZE {table_name(index.table)}")


def _replace(construct: CreateIndex, database: Database) -> Steps:
    """The old index serves until the new one is there; their names are swapped in one transaction."""
    index = construct.element
    assert index.table is not None
    name, schema = str(index.name), index.table.schema
    new, old = object_name(name, "", "new"), object_name(name, "", "old")
    index.name = quoted_name(new, None)
    yield from _create(construct, database)
    index.name = quoted_name(name, None)
    own = qualified(name, schema)
    keeps = index.unique and database.recall_whether(
        f"{own} is the replica identity", lambda: bool(database.ask(_IS_IDENTITY, name=own))
    )
    yield Step(sql=f"ALTER INDEX {own} RENAME TO {quoted(old)}", with_next=True)
    yield Step(sql=f"ALTER INDEX {qualified(new, schema)} RENAME TO {quoted(name)}", with_next=keeps)
    if keeps:  # without one PostgreSQL refuses every UPDATE and DELETE of a published table
        yield Step(sql=f"ALTER TABLE {table_name(index.table)} REPLICA IDENTITY USING INDEX {quoted(name)}")
    facts = database.table(table_name(index.table))
    at_once = facts is not None and facts.partitioned
    yield Step(sql=f"DROP INDEX {'' if at_once else 'CONCURRENTLY '}{qualified(old, schema)}")


def _drop(construct: DropIndex, at_once: bool) -> Iterator[Step]:
    construct.element.dialect_options["postgresql"]["concurrently"] = not at_once
    yield Step(sql=ddl(construct))


def _concurrently(construct: CreateIndex) -> str:
    construct.element.dialect_options["postgresql"]["concurrently"] = True
    return ddl(construct)
