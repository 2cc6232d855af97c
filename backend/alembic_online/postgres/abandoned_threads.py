"""Work in other threads that nobody waits for any more: what it works on is taken away, so that it ends at once.

Python cannot stop a thread, and a loop cannot stop what blocks it; but both fail at their next question to a database
that is gone, and clean up after themselves.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from alembic_online.postgres.errors import UserError

_PAUSE = 0.1  # seconds
_ends: dict[object, Callable[[], Awaitable[object]]] = {}


@contextmanager
def abandonable(end: Callable[[], Awaitable[object]]) -> Iterator[None]:
    """The block works on something that `end` takes away; it may be called from another thread, and more than once."""
    key = object()
    _ends[key] = end
    try:
        yield
    finally:
        _ends.pop(key, None)


async def abandon_all() -> None:
    """End what the threads of this loop's `asyncio.to_thread` work on, until all of them have ended."""
    ending = asyncio.ensure_future(asyncio.get_running_loop().shutdown_default_executor())
    with _nothing_said_of_lost_connections():
        while not ending.done():
            for end in list(_ends.values()):
                with suppress(SQLAlchemyError, UserError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await end()
            await asyncio.wait({ending}, timeout=_PAUSE)


@contextmanager
def _nothing_said_of_lost_connections() -> Iterator[None]:
    pool = logging.getLogger("sqlalchemy.pool")
    before = pool.level
    pool.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        pool.setLevel(before)
