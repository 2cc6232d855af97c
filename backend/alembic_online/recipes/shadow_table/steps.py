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

_TYPES = """
    SELECT format_type(atttypid, NULL) AS type FROM pg_attribute
    WHERE attrelid = to_regclass(:table) AND attname = ANY (:columns) AND NOT attisdropped
"""


def shadow_table(
    table: str,
    change: str,
    database: Database,
    *,
    computed: Mapping[str, str] = NOTHING,
    mark: str = GENERATED,
    joins: bool = False,
) -> OnlineChange:
    """The online way of `ALTER TABLE table change`, which would rewrite the table; the database must be known.

    `computed` are columns that are not copied as they are, with the SQL of their values. `mark` is a query for what
    `change` changes: by another answer a second run knows that it is done. Where it `joins`, the swap waits for the
    cut-over, in which what the revision has dropped above is gone before it.

    Raises `RevisionFailed` where a new table cannot take the place of the old one.
    """
    return OnlineChange(table, _steps(table, change, database, computed, mark, joins))


def _steps(table: str, change: str, database: Database, computed: Mapping[str, str], mark: str, joins: bool) -> Steps:
    facts = database.table(table)
    if facts is None:
        yield Step(sql=f"ALTER TABLE {table} {change}")  # there is no such table, and PostgreSQL says so
    elif facts.partitioned and joins:
        raise cannot(table, change, ["it has partitions, and one of its types is replaced"])
    elif facts.partitioned:
        yield from rebuilt_partitions(table, change, database, computed, mark)
    else:
        yield from _one(table, change, database, computed, joins)


def _one(table: str, change: str, database: Database, computed: Mapping[str, str], joins: bool) -> Steps:
    words = f"new table for {table} to {change}"
    copy, swap, leaves = json.loads(database.recall(words, lambda: _plan(table, change, database, computed, joins)))
    yield from carried_out(Copy.from_text(copy), database)
    yield from swapped(Swap(**swap), table if joins else "", leaves)


def _plan(table: str, change: str, database: Database, computed: Mapping[str, str], joins: bool) -> str:
    old = read_table(database, table, change, computed)
    dependents = dependents_of_tables(database, [(old.schema, old.name)], gone_above=joins)
    if dependents.others:
        raise cannot(table, change, dependents.others)
    gone = list(database.cut_over.lost_by(table)) if joins else []
    copy = plan_copy(old, ", ".join([*gone, change]), database, gone_above=joins)
    swap = plan_swap([copy], foreign_keys(database, [old.sql]), dependents, database)
    types = [row.type for row in database.ask(_TYPES, table=table, columns=list(computed))] if joins else []
    return json.dumps([copy.as_text(), asdict(swap), types])
