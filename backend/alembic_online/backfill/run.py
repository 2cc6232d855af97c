"""Walking a table in batches, with as many workers as one likes, on as many machines.

A batch is one transaction: lock a slice that nobody works on, change the rows up to the next key, note the position. It
waits for a row that somebody else holds no longer than `Policy.lock_timeout`, because others wait for its own. A row
that stays held, or that takes no value, is found by shorter and shorter batches: the one is left for later, the other
named.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alembic_online.backfill import state as kept
from alembic_online.backfill.batch import change, next_range, prepare
from alembic_online.backfill.batch_sql import Work
from alembic_online.backfill.ctid_scan import PLACE
from alembic_online.backfill.definition import Backfill
from alembic_online.backfill.estimate import cut, refuse_volatile
from alembic_online.backfill.keyset import Position
from alembic_online.backfill.monitor import OnReport, Report, Watch
from alembic_online.backfill.row_locks import set_aside, table_is_held
from alembic_online.backfill.session import session, transaction
from alembic_online.backfill.throttle import Pace
from alembic_online.backfill.triggers import silence, tell_who_fires
from alembic_online.policy import Policy
from alembic_online.postgres import sqlstate as state

log = logging.getLogger("alembic.runtime.migration")

PASSES = 3  # the second sees what came during the first; after the third, whoever writes on must write it right
_AGAIN = (state.LOCK_NOT_AVAILABLE, state.DEADLOCK_DETECTED, state.SERIALIZATION_FAILURE)
# What the server says of a row's own values: not valid, not allowed, refused by a trigger, too large for an index.
_OF_A_ROW = ("22", "23", "P0", "54")
_FUNCTION_AIM = 2.0  # seconds of a batch that calls a Python function: it holds no lock while it computes
_CUT_OFF = text("SELECT set_config('statement_timeout', :limit, true)")


async def backfill(
    engine: AsyncEngine,
    definition: Backfill,
    *,
    policy: Policy | None = None,
    workers: int = 1,
    on_report: OnReport = lambda _: None,
) -> Report:
    """Begin `definition`, or go on with it, until every row of the table is done; returns the last report.

    Safe to stop at any moment: what is lost is a batch. `on_report` is told about once a second, and may raise to stop.
    Raises `RequestRefused`, and what the server says of the values.
    """
    policy = policy or Policy()
    run = _Run(engine, definition, policy, on_report)
    # It only reads, and nobody waits for it.
    async with session(engine, policy.total_lock_timeout, definition.settings) as connection:
        await begin(connection, definition)
        run.work = await prepare(connection, definition)
        if definition.unnoticed:
            await tell_who_fires(connection, definition.table)
        await run.watch.begin(connection)
    await _all([run.worker(number) for number in range(workers)])
    async with run.session() as connection:
        return await run.watch.report(connection)


async def begin(connection: AsyncConnection, definition: Backfill) -> None:
    """Write it into the database, on an AUTOCOMMIT connection, unless this very one is there already."""
    work = await prepare(connection, definition)
    if await kept.is_begun(connection, definition):
        return
    await refuse_volatile(connection, work)
    bounds, total = await cut(connection, work)
    async with transaction(connection):
        await kept.begin(connection, definition, bounds, total)


async def _all(runs: list[Awaitable[None]]) -> None:
    """Run them until all are done, or one fails: then the others are stopped."""
    tasks = [asyncio.ensure_future(run) for run in runs]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Run:
    """What the workers of one process share."""

    work: Work

    def __init__(self, engine: AsyncEngine, definition: Backfill, policy: Policy, on_report: OnReport) -> None:
        self._engine, self._definition, self._policy = engine, definition, policy
        self.watch = Watch(definition, policy, on_report)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncConnection]:
        """A connection of its own, for statements that never queue for long."""
        async with session(self._engine, self._policy.lock_timeout, self._definition.settings) as connection:
            if self._definition.unnoticed:
                await silence(connection)
            yield connection

    async def worker(self, number: int) -> None:
        """Take slices until all are finished."""
        aim = _FUNCTION_AIM if self._definition.function else self._policy.backfill_batch_seconds
        pace, chosen, stuck = Pace(aim, self._policy.backfill_pause_ratio), number, False
        async with self.session() as connection:
            while True:
                await self.watch.look(connection)
                try:
                    chosen = await self._pass_over(connection, chosen) if stuck else chosen
                    stuck = False
                    slice_, seconds = await self._batch(connection, pace, chosen)
                except DBAPIError as error:
                    stuck = pace.size == 1 and state.sqlstate(error) == state.LOCK_NOT_AVAILABLE
                    await asyncio.sleep(self._before_another_try(pace, error))
                    continue
                if slice_ is None and await self._is_finished(connection):
                    return
                chosen = chosen if slice_ is None else slice_
                # Others work on all slices that are left: theirs may come free, if they die.
                await asyncio.sleep(0.1 if slice_ is None else pace.took(seconds) if seconds else 0)

    def _before_another_try(self, pace: Pace, error: DBAPIError) -> float:
        """Seconds to pause after a batch that failed. Raises `error` where another try is of no use."""
        if (code := state.sqlstate(error)) == state.QUERY_CANCELED:
            return pace.cut_off(self._longest)
        narrows = (code or "")[:2] in _OF_A_ROW and pace.size > 1  # until the row is found that has brought it about
        if code not in _AGAIN and not narrows:
            raise error
        pace.collided()
        return 0.0 if narrows else random.uniform(0, self._policy.lock_timeout)

    async def _pass_over(self, connection: AsyncConnection, chosen: int) -> int:
        """Somebody holds the next row, or all of the table: remember who; returns which slice to go on with."""
        if (why := await table_is_held(connection, self.work)) is not None:
            self.watch.held = why
            return chosen
        async with transaction(connection):
            slice_ = await kept.claim(connection, self._definition.name, chosen)
            if slice_ is None:
                return chosen
            self.watch.held = await set_aside(connection, self.work, slice_) or self.watch.held
        return int(slice_.slice) + 1

    @property
    def _longest(self) -> float:
        """Seconds: whoever wants a row of a batch waits for its end."""
        return max(self._policy.backfill_batch_seconds, self._policy.lock_timeout)

    async def _batch(self, connection: AsyncConnection, pace: Pace, preferred: int) -> tuple[int | None, float]:
        """Change the next rows of a slice; returns which, and in how many seconds; None if others work on all."""
        async with transaction(connection):
            # Only a single row gets all the time that it needs.
            limit = 0 if pace.size == 1 or self._definition.function else round(self._longest * 1000)
            await connection.execute(_CUT_OFF, {"limit": str(limit)})
            slice_ = await kept.claim(connection, self._definition.name, preferred)
            if slice_ is None:
                return None, 0.0
            found = None
            if not await self._is_quiet(connection, slice_):
                found = await next_range(connection, self.work, slice_.position, slice_.upto, pace.size)
            if found is None:
                await self._end_pass(connection, slice_, slice_.changed_in_pass)
                return int(slice_.slice), 0.0
            size, (position, walked) = pace.size, found
            changed, seconds = await self._change(connection, slice_, position, walked)
            # These were the last. To look for more would never end where clients add rows all the time.
            if walked < size and self.work.key is not PLACE:
                await self._end_pass(connection, slice_, slice_.changed_in_pass + changed)
            return int(slice_.slice), seconds

    async def _change(
        self, connection: AsyncConnection, slice_: Row[Any], position: Position, walked: int
    ) -> tuple[int, float]:
        """Change the rows up to `position`, and note it; returns how many, and in how many seconds."""
        begun = time.monotonic()
        try:
            changed = await change(connection, self.work, slice_.position, position)
        except DBAPIError as error:
            if walked == 1 and (state.sqlstate(error) or "")[:2] in _OF_A_ROW:
                error.add_note(f"Row: {self.work.key.named(position)}")
            raise
        seconds = time.monotonic() - begun
        await kept.advance(connection, slice_, position, walked, changed)
        self.watch.got_on(changed)
        return changed, seconds

    async def _is_quiet(self, connection: AsyncConnection, slice_: Row[Any]) -> bool:
        """At the beginning of the second pass: whether the first one has found nothing to change in any slice."""
        begins = slice_._mapping["pass"] == 2 and slice_.position == slice_.after
        return begins and (await kept.read_progress(connection, self._definition.name))[0].changed == 0

    async def _end_pass(self, connection: AsyncConnection, slice_: Row[Any], changed: int) -> None:
        number = slice_._mapping["pass"]
        again = (number == 1 or changed > 0) and not self._definition.in_step
        if again and number == PASSES:
            log.warning(
                "Backfill %s: %s rows came or changed while it looked again; the application must write them now.",
                *(self._definition.name, changed),
            )
        await kept.end_pass(connection, slice_, again=again and number < PASSES)

    async def _is_finished(self, connection: AsyncConnection) -> bool:
        return all(each.finished for each in await kept.read_progress(connection, self._definition.name))
