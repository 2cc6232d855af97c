"""A backfill between two transactions of a revision: on connections of its own, as long as the policy allows."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from alembic_online.backfill import pending as needed
from alembic_online.backfill import state
from alembic_online.backfill.definition import Backfill, verbatim
from alembic_online.backfill.monitor import Report
from alembic_online.backfill.run import backfill, begin
from alembic_online.backfill.session import session
from alembic_online.errors import BackfillPending
from alembic_online.policy import Policy
from alembic_online.runtime.activity import Activity, Progress
from alembic_online.runtime.run_at_hand import run_at_hand
from alembic_online.runtime.waiter import Beside

_TRIAL = 10.0  # seconds after which the rate is known well enough to say how long all of it will take


def run_outside(
    context: MigrationContext, definition: Backfill, *, deferred: bool = False, unlimited: bool = False
) -> None:
    """Run `definition` on connections of its own, between two transactions of the revision.

    Begun again by each revision that says so, but not by one that is resumed: the journal keeps the beginning. What is
    to wait for its command (`deferred`, or by the policy) is done at once where no row needs it, and in a rehearsal.
    What is `unlimited` waits for none.
    """
    run = run_at_hand(context)
    assert run is not None, "who has none writes the rows himself"
    beside, policy, activity, rehearsal = run.beside, run.policy, run.activity, run.rehearsal
    if unlimited:
        policy = replace(policy, backfill_upgrade_seconds=math.inf)
    with context.autocommit_block():
        definition = replace(definition, settings=run.settings())
        table = beside.waiter.wait(_with_connection(beside.engine, state.make_table))
        written = context.dialect.identifier_preparer.format_table(table)
        name = definition.name.replace("'", "''")
        words = f"backfill {definition.name}"
        if rehearsal is not None:
            rehearsal.fills(f"{words}, left to its command" if deferred else words, definition.table)
        with activity.called(words):
            context.execute(verbatim(f"DELETE FROM {written} WHERE name = '{name}'"))
        if activity.step != words:  # an earlier try has done that
            activity.begin_step(words)
            if not definition.in_step:
                forget = partial(needed.begin_again_where_needed, definition=definition)
                beside.waiter.wait(_with_connection(beside.engine, forget))
        if deferred or policy.backfill_upgrade_seconds == 0:
            look = partial(needed.is_needed, definition=definition)
            if rehearsal is None and beside.waiter.wait(_with_connection(beside.engine, look)):
                beside.waiter.wait(_begin(beside.engine, definition, policy))
                if deferred:
                    return
            else:
                policy = replace(policy, backfill_upgrade_seconds=math.inf)
        beside.waiter.wait(
            backfill(beside.engine, definition, policy=policy, on_report=_teller(definition, policy, activity))
        )


def runner(definition: Backfill, refused: str) -> Callable[[MigrationContext], None]:
    """`run_outside` as a task; where the server refuses a row, it says the words of `refused` too."""

    def run(context: MigrationContext) -> None:
        try:
            run_outside(context, definition)
        except DBAPIError as error:
            error.add_note(refused)
            raise

    return run


def is_done(beside: Beside, name: str) -> bool:
    """Whether a backfill that was begun is at its end, or has no row left; asked on a connection of its own."""
    return bool(beside.waiter.wait(_with_connection(beside.engine, partial(needed.is_done, name=name))))


def pending(name: str, why: str) -> BackfillPending:
    """The error for a backfill that is not at its end."""
    return BackfillPending(
        f"The backfill {name} {why}; what is done of it is kept.",
        f"Run: python -m alembic_online backfill {name}\nThen run the same command again.",
    )


def _teller(definition: Backfill, policy: Policy, activity: Activity) -> Any:
    begun = time.monotonic()

    def tell(report: Report) -> None:
        progress = report.progress
        rate = f"{report.rate:,.0f} rows a second" if report.rate else "begins"
        phase = rate if progress.passes == 1 else f"pass {progress.passes}"
        left = report.seconds_left if report.rate else None
        size = f"about {progress.total:,} rows"
        activity.progress = Progress(phase, progress.walked, progress.total, definition.table, size, left)
        if report.waiting:
            activity.wait(f"Backfill {definition.name} waits: {report.waiting}")
        elif activity.waiting:
            activity.stop_waiting()
        elapsed = time.monotonic() - begun
        if report.waiting and elapsed >= policy.backfill_upgrade_seconds:
            raise pending(definition.name, f"has waited for longer than an upgrade may take: {report.waiting}")
        known = elapsed >= min(_TRIAL, policy.backfill_upgrade_seconds)
        if known and not progress.finished and report.seconds_left >= policy.backfill_upgrade_seconds:
            left, may = report.seconds_left, policy.backfill_upgrade_seconds
            raise pending(definition.name, f"takes about {left:,.0f} s more, and an upgrade may take {may:g} s for one")

    return tell


async def _begin(engine: AsyncEngine, definition: Backfill, policy: Policy) -> None:
    async with session(engine, policy.total_lock_timeout, definition.settings) as connection:
        await begin(connection, definition)


async def _with_connection(engine: AsyncEngine, act: Any) -> Any:
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        return await act(connection)
