"""The steps of a table that is made anew, from the new table to the end of the old one.

All of them are planned when the revision first comes here, and kept: a second run takes the same, whatever is there.
"""

import json
from dataclasses import asdict

from src.safety.online.database import Database
from src.safety.online.dependents import dependents_of_tables
from src.safety.online.shadow_table.copy import Copy, carried_out, plan_copy
from src.safety.online.shadow_table.foreign_keys import foreign_keys
from src.safety.online.shadow_table.old_table import cannot, read_table
from src.safety.online.shadow_table.partitions import partitions_anew
from src.safety.online.shadow_table.swap import Swap, plan_swap, swapped
from src.safety.online.step import OnlineChange, Step, Steps


def shadow_table(table: str, change: str, database: Database) -> OnlineChange:
    """The online way of `ALTER TABLE table change`, which would rewrite the table; the database must be known.

    Raises `RevisionFailed` where a new table cannot take the place of the old one.
    """
    return OnlineChange(table, _steps(table, change, database))


def _steps(table: str, change: str, database: Database) -> Steps:
    facts = database.table(table)
    if facts is None:
        yield Step(sql=f"ALTER TABLE {table} {change}")  # there is no such table, and PostgreSQL says so
    elif facts.partitioned:
        yield from partitions_anew(table, change, database)
    else:
        yield from _one(table, change, database)


def _one(table: str, change: str, database: Database) -> Steps:
    kept = database.recall(f"new table for {table} to {change}", lambda: _plan(table, change, database))
    copy, swap = json.loads(kept)
    yield from carried_out(Copy.from_text(copy), database)
    yield from swapped(Swap(**swap))


def _plan(table: str, change: str, database: Database) -> str:
    old = read_table(database, table, change)
    dependents = dependents_of_tables(database, [(old.schema, old.name)])
    if dependents.others:
        raise cannot(table, change, dependents.others)
    copy = plan_copy(old, change, database)
    swap = plan_swap([copy], foreign_keys(database, [old.sql]), dependents, database)
    return json.dumps([copy.as_text(), asdict(swap)])
