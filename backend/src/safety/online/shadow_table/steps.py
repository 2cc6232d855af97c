"""The steps of a table that is made anew, from the new table to the end of the old one.

All of them are planned when the revision first comes here, and kept: a second run takes the same, whatever is there.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import DBAPIError

from src.safety.backfill.in_upgrade import run_outside
from src.safety.online.database import Database
from src.safety.online.dependents import dependents_of_table
from src.safety.online.index_build import built_again
from src.safety.online.shadow_table.carry import carried
from src.safety.online.shadow_table.foreign_keys import foreign_keys
from src.safety.online.shadow_table.in_step import begin_notes, copy_all, copy_noted, end_notes, make_notes
from src.safety.online.shadow_table.like import create_like
from src.safety.online.shadow_table.old_table import OldTable, cannot, read_table
from src.safety.online.shadow_table.swap import swap
from src.safety.online.shadow_table.unchanged import owned, refuse_unless
from src.safety.online.step import OnlineChange, Step, Steps, Task


@dataclass(frozen=True)
class _Plan:
    """Statements, phase by phase. What is locked is locked in the transaction of what comes after it."""

    make: str
    lock_to_begin: str
    begin: str
    filled: list[str]
    drop_views: list[str]
    lock_to_swap: str
    swap: str
    validate: list[str]


def shadow_table(table: str, change: str, database: Database) -> OnlineChange:
    """The online way of `ALTER TABLE table change`, which would rewrite the table; the database must be known.

    Raises `RevisionFailed` where a new table cannot take the place of the old one.
    """
    return OnlineChange(table, _steps(table, change, database))


def _steps(table: str, change: str, database: Database) -> Steps:
    kept = database.recall(f"new table for {table} to {change}", lambda: _plan(table, change, database))
    if not kept:
        yield Step(sql=f"ALTER TABLE {table} {change}")  # there is no such table, and PostgreSQL says so
        return
    facts, statements = json.loads(kept)
    old, plan = OldTable(**facts), _Plan(**statements)
    yield Step(sql=plan.make)
    yield Step(sql=plan.lock_to_begin, with_next=True)
    yield Step(sql=plan.begin)
    yield _copy(old)
    yield Step(sql=_block([copy_noted(old)]))
    yield from built_again(old.sql, (Step(sql=statement) for statement in plan.filled), database)
    yield Step(sql=f"ANALYZE {old.new}")
    yield Step(
        sql=_block([copy_noted(old)])
    )  # what came while the indexes were built, so that little is left to the swap
    yield from (Step(sql=statement, with_next=True) for statement in plan.drop_views)
    yield Step(sql=plan.lock_to_swap, with_next=True)
    yield Step(sql=plan.swap)
    yield from (Step(sql=statement) for statement in plan.validate)


def _plan(table: str, change: str, database: Database) -> str:
    old = read_table(database, table, change)
    if old is None:
        return ""
    before = owned(database, old)
    dependents = dependents_of_table(database, old.schema, old.name)
    if dependents.others:
        raise cannot(table, change, dependents.others)
    parts, keys = carried(database, old), foreign_keys(database, old)
    locked = sorted({*dependents.locks, old.sql, *keys.tables})
    changed = f"ALTER TABLE {old.new} {change}"
    plan = _Plan(
        make=_block([*create_like(database, old), changed, *parts.key, *make_notes(old)]),
        lock_to_begin=f"LOCK TABLE {old.sql} IN SHARE ROW EXCLUSIVE MODE",
        begin=_block(begin_notes(old)),
        filled=parts.filled,
        drop_views=dependents.drop_views,
        lock_to_swap=f"LOCK TABLE {', '.join(locked)} IN ACCESS EXCLUSIVE MODE",
        swap=_block([refuse_unless(before, old), *swap(database, old, keys, dependents, parts.moved)]),
        validate=keys.validate,
    )
    return json.dumps([asdict(old), asdict(plan)])


def _block(statements: Iterable[str]) -> str:
    """One statement of them: their locks are held for one answer of the server, not for forty."""
    return f"DO $block$ BEGIN {'; '.join(statements)}; END $block$"


def _copy(old: OldTable) -> Task:
    definition = copy_all(old)

    def run(context: MigrationContext) -> None:
        try:
            run_outside(context, definition)
        except DBAPIError as error:
            given_up = "; ".join(end_notes(old))
            error.add_note(f"The new table waits, and refuses such rows. To give the change up instead: {given_up}")
            raise

    return Task(words=f"copy {old.sql} to {old.new}", run=run, script=lambda: ())
