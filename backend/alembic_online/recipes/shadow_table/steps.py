"""The steps of a table that is rebuilt, from the new table to the end of the old one.

All of them are planned when the revision first comes here, and kept: a second run takes the same, whatever is there.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict

from alembic_online.recipes.database import Database
from alembic_online.recipes.dependents import dependents_of_tables
from alembic_online.recipes.shadow_table.copy import Copy, carried_out, plan_copy
from alembic_online.recipes.shadow_table.cutover import Swap, plan_swap, swapped
from alembic_online.recipes.shadow_table.foreign_keys import foreign_keys
from alembic_online.recipes.shadow_table.partitions import GENERATED, rebuilt_partitions
from alembic_online.recipes.shadow_table.source_table import NOTHING, cannot, read_table
from alembic_online.recipes.step import OnlineChange, Step, Steps


def shadow_table(
    table: str, change: str, database: Database, *, computed: Mapping[str, str] = NOTHING, mark: str = GENERATED
) -> OnlineChange:
    """The online way of `ALTER TABLE table change`, which would rewrite the table; the database must be known.

    `computed` are columns that are not copied as they are, with the SQL of their values. `mark` is a query for what
    `change` changes: by another answer a second run knows that it is done.

    Raises `RevisionFailed` where a new table cannot take the place of the old one.
    """
    return OnlineChange(table, _steps(table, change, database, computed, mark))


def _steps(table: str, change: str, database: Database, computed: Mapping[str, str], mark: str) -> Steps:
    facts = database.table(table)
    if facts is None:
        yield Step(sql=f"ALTER TABLE {table} {change}")  # there is no such table, and PostgreSQL says so
    elif facts.partitioned:
        yield from rebuilt_partitions(table, change, database, computed, mark)
    else:
        yield from _one(table, change, database, computed)


def _one(table: str, change: str, database: Database, computed: Mapping[str, str]) -> Steps:
    kept = database.recall(f"new table for {table} to {change}", lambda: _plan(table, change, database, computed))
    copy, swap = json.loads(kept)
    yield from carried_out(Copy.from_text(copy), database)
    yield from swapped(Swap(**swap))


def _plan(table: str, change: str, database: Database, computed: Mapping[str, str]) -> str:
    old = read_table(database, table, change, computed)
    dependents = dependents_of_tables(database, [(old.schema, old.name)])
    if dependents.others:
        raise cannot(table, change, dependents.others)
    copy = plan_copy(old, change, database)
    swap = plan_swap([copy], foreign_keys(database, [old.sql]), dependents, database)
    return json.dumps([copy.as_text(), asdict(swap)])
