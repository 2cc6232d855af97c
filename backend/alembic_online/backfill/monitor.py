"""What is told of a run about once a second, and what it waits for: pressure, dead rows, somebody who holds a row."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.backfill import state as kept
from alembic_online.backfill.backpressure import pressure, too_many_dead
from alembic_online.backfill.definition import Backfill, verbatim
from alembic_online.backfill.vacuum import vacuum
from alembic_online.policy import Policy

_LOOK = 1.0  # seconds between two looks at the pressure, and at the progress
_DEAD_PATIENCE = 10.0  # seconds to wait for dead rows that no VACUUM can remove yet; they go on growing anyway
_BATCHES_PER_VACUUM = 10


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


class Watch:
    """Over the workers of one process."""

    last: Report

    def __init__(self, definition: Backfill, policy: Policy, on_report: OnReport) -> None:
        self._definition, self._policy, self._on_report = definition, policy, on_report
        self._before = 0
        self._begun = time.monotonic()
        self._looked = 0.0
        self._changed = 0  # rows since the last VACUUM
        self._batches = 0
        self._has_got_on = True  # since the last look
        self.held: str | None = None
        """What could not be had, in words."""

    async def begin(self, connection: AsyncConnection) -> None:
        """What others have walked before is not of this run."""
        self._before = (await kept.read_progress(connection, self._definition.name))[0].walked
        await self.report(connection)

    def got_on(self, changed: int) -> None:
        """A batch has changed so many rows."""
        self._changed += changed
        self._batches += changed > 0
        self._has_got_on = True

    async def look(self, connection: AsyncConnection) -> None:
        """Once a second: tell how far it is, wait while there is pressure, VACUUM when it is time."""
        if self._batches >= _BATCHES_PER_VACUUM and self._changed > 0.1 * self.last.progress.total:
            await self._vacuum(connection)
        if time.monotonic() - self._looked < _LOOK:
            return
        self._looked = time.monotonic()
        await self.report(connection, waiting=None if self._has_got_on else self.held)
        self.held, self._has_got_on = (None, False) if self._has_got_on else (self.held, False)
        while (why := await pressure(connection, self._definition.table, self._policy)) is not None:
            await self.report(connection, waiting=why)
            await asyncio.sleep(_LOOK)

    async def report(self, connection: AsyncConnection, *, waiting: str | None = None) -> Report:
        """Read from the database: other machines may be at work as well."""
        progress = (await kept.read_progress(connection, self._definition.name))[0]
        rate = (progress.walked - self._before) / max(time.monotonic() - self._begun, 1e-3)
        self.last = Report(progress, rate, waiting)
        self._on_report(self.last)
        return self.last

    async def _vacuum(self, connection: AsyncConnection) -> None:
        self._batches = self._changed = 0
        begun = time.monotonic()
        while await vacuum(connection, verbatim(self._definition.table)):
            few = not await too_many_dead(connection, self._definition.table, self._policy)
            if few or time.monotonic() - begun > _DEAD_PATIENCE:
                return
            await self.report(connection, waiting="an old transaction keeps dead rows from being removed")
            await asyncio.sleep(_LOOK)
