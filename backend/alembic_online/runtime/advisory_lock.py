"""One migrator at a time: a session lock of PostgreSQL, polled, on an AUTOCOMMIT connection of its own.

Polled, because a blocking call holds a snapshot for which CREATE INDEX CONCURRENTLY of the holder waits, and PostgreSQL
sees no deadlock. Of its own, because the migration's session may be ended without the migrator being gone. A second
lock is held by the migration's session itself: while a killed migrator's last statement still runs, nobody begins.
The server releases both when the sessions end; a session of the project's own gives its lock back before.
"""

import asyncio
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.errors import TableBlocked

MIGRATOR, SESSION = 1, 2  # the second half of the key
_POLL = 0.1  # seconds

_OF_THE_LOCK = """l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
      AND l.classid = CAST(CAST(:space AS int8) AS oid) AND l.objid = CAST(CAST(:which AS int8) AS oid)
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
_TRY = text("SELECT pg_try_advisory_lock(:space, :which)")
_HOLDER = text(
    f"""
    SELECT a.pid, a.usename AS role, a.application_name AS application, a.backend_start AS since
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE {_OF_THE_LOCK}
    """
)
_RELEASE = text(
    f"SELECT pg_advisory_unlock(:space, :which) FROM pg_locks l WHERE l.pid = pg_backend_pid() AND {_OF_THE_LOCK}"
)


@dataclass(frozen=True)
class Holder:
    """Who migrates this database at the moment."""

    pid: int
    role: str
    application: str
    since: str

    def __str__(self) -> str:
        return f"pid {self.pid} ({self.role}, {self.application}, connected at {self.since})"


def lock_space(version_table: str = "alembic_version", schema: str | None = None) -> int:
    """The first half of the key: two projects in one database do not wait for each other."""
    return zlib.crc32(f"alembic {schema or ''}.{version_table}".encode()) & 0x7FFFFFFF


async def acquire(
    connection: AsyncConnection,
    space: int,
    which: int,
    *,
    patience: float,
    on_wait: Callable[[Holder | None, float], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Take the lock, outside of any transaction; until then `on_wait` is told who holds it, and for how long by now.

    Raises `TableBlocked` after `patience` seconds.
    """
    begun = clock()
    while not await _try(connection, space, which):
        holder = await find_holder(connection, space, which)
        await connection.rollback()
        on_wait(holder, clock() - begun)
        if clock() - begun >= patience:
            raise TableBlocked(
                f"Another migration of this database has not ended within {patience:g} s: {holder or 'unknown'}.",
                "Wait for it and run the same command again, or raise MIGRATION_MIGRATOR_TIMEOUT.",
            )
        await sleep(_POLL)


async def _try(connection: AsyncConnection, space: int, which: int) -> bool:
    given = bool(await connection.scalar(_TRY, {"space": space, "which": which}))
    await connection.rollback()  # the lock is the session's and stays; a snapshot would be in the way of others
    return given


@contextmanager
def released_at_end(connection: Connection, space: int, which: int) -> Iterator[None]:
    """At the end of the block the session does not hold the lock any more: its connection may go back to a pool."""
    try:
        yield
    finally:
        if not connection.invalidated and not connection.closed:
            connection.rollback()
            connection.execute(_RELEASE, {"space": space, "which": which})
            connection.commit()


async def find_holder(connection: AsyncConnection, space: int, which: int = MIGRATOR) -> Holder | None:
    """Who holds the lock now."""
    row = (await connection.execute(_HOLDER, {"space": space, "which": which})).one_or_none()
    return Holder(row.pid, row.role, row.application, f"{row.since:%H:%M:%S}") if row else None
