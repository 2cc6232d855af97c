"""Sessions that hold and wait for locks, and waiting for a condition; never for a time."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

_LIMIT = 20.0  # seconds, which only a failing test takes
_PAUSE = 0.01
Value = TypeVar("Value")


@asynccontextmanager
async def session(url: str, **settings: Any) -> AsyncIterator[asyncpg.Connection]:
    """A connection in autocommit; `settings` go to the server. It may be ended from outside."""
    connection = await asyncpg.connect(url, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def waiting(connection: asyncpg.Connection, watcher: asyncpg.Connection, statement: str) -> AsyncIterator[int]:
    """`connection` runs `statement` and waits for a lock; yields its pid. What comes of it is not looked at."""
    pid = connection.get_server_pid()
    task = asyncio.create_task(connection.execute(statement))
    await until(lambda: watcher.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)", pid))
    try:
        yield pid
    finally:
        await watcher.execute("SELECT pg_cancel_backend($1::int)", pid)
        await asyncio.wait([task])
        task.exception()


async def until(condition: Callable[[], Awaitable[Value]]) -> Value:
    """The first true answer of `condition`."""
    deadline = time.monotonic() + _LIMIT
    while not (value := await condition()):
        assert time.monotonic() < deadline, f"the condition did not come within {_LIMIT:.0f} s"
        await asyncio.sleep(_PAUSE)
    return value
