"""What a person sees while a migration takes its time: a moving line on a terminal, plain lines elsewhere.

Nothing is shown of a step that is over within a second. The logger `alembic.runtime.migration` is the switch: where it
is not enabled for INFO, nothing is shown at all.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alembic_online.postgres.sqlstate import server_message
from alembic_online.runtime.activity import Activity, Progress

log = logging.getLogger("alembic.runtime.migration")

_OWN_PID = text("SELECT pg_backend_pid()")
_PACE = 10.0  # seconds between two plain lines


@asynccontextmanager
async def shown(activity: Activity, engine: AsyncEngine, pid: int, *, terminal: bool) -> AsyncIterator[None]:
    """Show `activity` of the backend `pid` while the block runs: a moving line on a terminal, else lines of the log."""
    if not log.isEnabledFor(logging.INFO):
        yield
        return
    watcher = asyncio.create_task(_watch(activity, engine, pid, terminal=terminal))
    try:
        yield
    finally:
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher


async def _watch(activity: Activity, engine: AsyncEngine, pid: int, *, terminal: bool) -> None:
    await activity.until_long()
    try:
        # A connection only for what takes long: the migration's own is busy, and quick runs need none.
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("SET application_name = 'alembic-online'"))  # no session of an old release
            with activity.watched(int(await connection.scalar(_OWN_PID) or 0)):
                await _show(activity, connection, pid, terminal=terminal)
    except (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        # A migration does not fail because nobody can watch it.
        log.info("Progress is not shown: %s", server_message(error))


async def _show(activity: Activity, connection: AsyncConnection, pid: int, *, terminal: bool) -> None:
    if terminal:
        from alembic_online.runner.terminal import show  # noqa: PLC0415  rich: 0.1 s that only long steps should pay

        await show(activity, lambda: _progress(activity, connection, pid))
    else:
        await _by_log(activity, connection, pid)


async def _by_log(activity: Activity, connection: AsyncConnection, pid: int) -> None:
    said = ""
    while True:
        await activity.until_long()
        line = activity.line(await _progress(activity, connection, pid))
        if said != activity.where:
            log.info("%s", line)
        said = activity.where
        await asyncio.sleep(_PACE)
        said = "" if activity.where == said else said


async def _progress(activity: Activity, connection: AsyncConnection, pid: int) -> Progress | None:
    from alembic_online.runner.server_progress import read_progress  # noqa: PLC0415  only for what takes long

    return activity.progress or await read_progress(connection, pid, activity)
