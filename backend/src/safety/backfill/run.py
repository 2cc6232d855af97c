"""Walking a table in batches, with as many workers as one likes, on as many machines.

A batch is one transaction: lock a slice that nobody works on, change the rows up to the next key, note the position. It
waits for a row that somebody else holds no longer than `Policy.lock_timeout`, because others wait for its own.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from src.postgres import sqlstate as state
from src.safety.apply.session import prepare_session
from src.safety.backfill import state as kept
from src.safety.backfill.batch import change, next_range, prepare
from src.safety.backfill.definition import Backfill
from src.safety.backfill.estimate import cut, refuse_volatile
from src.safety.backfill.pace import Pace
from src.safety.backfill.pressure import pressure, too_many_dead
from src.safety.backfill.triggers import silence, tell_who_fires
from src.safety.backfill.vacuum import vacuum
from src.safety.backfill.work import Work
from src.safety.policy import Policy

log = logging.getLogger("alembic.runtime.migration")

PASSES = 3  # the second sees what came during the first; after the third, whoever writes on must write it right
_AGAIN = (state.LOCK_NOT_AVAILABLE, state.DEADLOCK_DETECTED, state.SERIALIZATION_FAILURE)
_LOOK = 1.0  # seconds between two looks at the pressure, and at the progress
_FUNCTION_AIM = 2.0  # seconds of a batch that calls a Python function: it holds no lock while it computes
_DEAD_PATIENCE = 10.0  # seconds to wait for dead rows that no VACUUM can remove yet; they go on growing anyway
_BATCHES_PER_VACUUM = 10
_CUT_OFF = text("SELECT set_config('statement_timeout', :limit, true)")
# A role's own statement_timeout is not meant for a VACUUM. Nobody waits for the disk: a server that crashes loses the
# rows and the position of the last batches together.
_LIMITS = text(
    "SELECT set_config('lock_timeout', :limit, false), set_config('statement_timeout', '0', false),"
    " set_config('synchronous_commit', 'off', false)"
)


@dataclass(frozen=True)
class Report:
    """What is told while it runs, and at the end."""

    progress: kept.Progress
    rate: float
    """Rows a second of this run."""
    waiting: str | None = None
    """For what it waits instead of working."""

    @property
    def seconds_left(self) -> float:
        """By the rate up to now; 0 where nothing is known."""
        return max(self.progress.total - self.progress.walked, 0) / self.rate if self.rate else 0.0


OnReport = Callable[[Report], None]


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
    run = _Run(engine, definition, policy or Policy(), on_report)
    async with run.session() as connection:
        await begin(connection, definition)
        run.work = await prepare(connection, definition)
        if definition.unnoticed:
            await tell_who_fires(connection, definition.table)
        run.before = (await kept.read_progress(connection, definition.name))[0].walked
        await run.report(connection)
    await _all([run.worker(number) for number in range(workers)])
    async with run.session() as connection:
        await run.report(connection)
    return run.last


async def begin(connection: AsyncConnection, definition: Backfill) -> None:
    """Write it into the database, on an AUTOCOMMIT connection, unless it is there already."""
    work = await prepare(connection, definition)
    if await kept.read_progress(connection, definition.name):
        return
    await refuse_volatile(connection, work)
    bounds, total = await cut(connection, work)
    async with transaction(connection):
        await kept.begin(connection, definition, bounds, total)


@asynccontextmanager
async def transaction(connection: AsyncConnection) -> AsyncIterator[None]:
    """On an AUTOCOMMIT connection, which VACUUM needs; READ COMMITTED, whatever the role's default is."""
    await connection.exec_driver_sql("BEGIN ISOLATION LEVEL READ COMMITTED")
    try:
        yield
    except Exception:
        if not connection.invalidated:
            await connection.exec_driver_sql("ROLLBACK")
        raise
    except BaseException:  # stopped in the middle of a statement: the driver's connection is of no use any more
        await connection.invalidate()
        raise
    await connection.exec_driver_sql("COMMIT")


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
    last: Report

    def __init__(self, engine: AsyncEngine, definition: Backfill, policy: Policy, on_report: OnReport) -> None:
        self._engine, self._definition, self._policy, self._on_report = engine, definition, policy, on_report
        self.before = 0
        self._begun = time.monotonic()
        self._looked = 0.0
        self._changed = 0  # rows since the last VACUUM
        self._batches = 0

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncConnection]:
        """A connection of its own, for statements that end with their client and never queue for long."""
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await prepare_session(connection)
            limit = max(1, round(self._policy.lock_timeout * 1000))
            await connection.execute(_LIMITS, {"limit": str(limit)})
            if self._definition.unnoticed:
                await silence(connection)
            yield connection

    async def worker(self, number: int) -> None:
        """Take slices until all are finished."""
        aim = _FUNCTION_AIM if self._definition.function else self._policy.backfill_batch
        pace, chosen = Pace(aim, self._policy.backfill_pause), number
        async with self.session() as connection:
            while True:
                await self._look(connection)
                try:
                    slice_, seconds = await self._batch(connection, pace, chosen)
                except DBAPIError as error:
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
        if code not in _AGAIN:
            raise error
        pace.collided()
        return random.uniform(0, self._policy.lock_timeout)

    @property
    def _longest(self) -> float:
        """Seconds: whoever wants a row of a batch waits for its end."""
        return max(self._policy.backfill_batch, self._policy.lock_timeout)

    async def _batch(self, connection: AsyncConnection, pace: Pace, preferred: int) -> tuple[int | None, float]:
        """Change the next rows of a slice; returns which, and in how many seconds; None if others work on all."""
        async with transaction(connection):
            # Only a single row gets all the time that it needs.
            limit = 0 if pace.size == 1 or self._definition.function else round(self._longest * 1000)
            await connection.execute(_CUT_OFF, {"limit": str(limit)})
            slice_ = await kept.claim(connection, self._definition.name, preferred)
            if slice_ is None:
                return None, 0.0
            if (found := await next_range(connection, self.work, slice_.position, slice_.upto, pace.size)) is None:
                await self._end_pass(connection, slice_)
                pace.end_pass(slice_._mapping["pass"])
                return int(slice_.slice), 0.0
            position, walked = found
            begun = time.monotonic()
            changed = await change(connection, self.work, slice_.position, position)
            seconds = time.monotonic() - begun
            await kept.advance(connection, slice_, position, walked, changed)
        self._changed += changed
        self._batches += changed > 0
        return int(slice_.slice), seconds

    async def _end_pass(self, connection: AsyncConnection, slice_: Row[Any]) -> None:
        number, changed = slice_._mapping["pass"], slice_.changed_in_pass
        again = changed > 0 and not self._definition.in_step
        if again and number == PASSES:
            log.warning(
                "Backfill %s: %s rows came or changed while it looked again; the application must write them now.",
                *(self._definition.name, changed),
            )
        await kept.end_pass(connection, slice_, again=again and number < PASSES)

    async def _is_finished(self, connection: AsyncConnection) -> bool:
        return all(each.finished for each in await kept.read_progress(connection, self._definition.name))

    async def _look(self, connection: AsyncConnection) -> None:
        """Once a second: tell how far it is, wait while there is pressure, VACUUM when it is time."""
        if self._batches >= _BATCHES_PER_VACUUM and self._changed > 0.1 * self.last.progress.total:
            await self._vacuum(connection)
        if time.monotonic() - self._looked < _LOOK:
            return
        self._looked = time.monotonic()
        await self.report(connection)
        while (why := await pressure(connection, self._definition.table, self._policy)) is not None:
            await self.report(connection, waiting=why)
            await asyncio.sleep(_LOOK)

    async def report(self, connection: AsyncConnection, *, waiting: str | None = None) -> None:
        """Read from the database: other machines may be at work as well."""
        progress = (await kept.read_progress(connection, self._definition.name))[0]
        rate = (progress.walked - self.before) / max(time.monotonic() - self._begun, 1e-3)
        self.last = Report(progress, rate, waiting)
        self._on_report(self.last)

    async def _vacuum(self, connection: AsyncConnection) -> None:
        self._batches = self._changed = 0
        begun = time.monotonic()
        while await vacuum(connection, self.work.table):
            few = not await too_many_dead(connection, self._definition.table, self._policy)
            if few or time.monotonic() - begun > _DEAD_PATIENCE:
                return
            await self.report(connection, waiting="an old transaction keeps dead rows from being removed")
            await asyncio.sleep(_LOOK)
