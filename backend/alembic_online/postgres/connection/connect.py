"""Connecting with patience: a server that is starting is waited for, every other refusal is said at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.sqlstate import CANNOT_CONNECT_NOW

_PAUSE = 0.25  # seconds; a recovery takes seconds, a request of ours takes a millisecond


@asynccontextmanager
async def connected(
    engine: AsyncEngine,
    target: DatabaseURL,
    *,
    patience: float = 0.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[AsyncConnection]:
    """A connection, waiting up to `patience` seconds for a server that says it is starting or shutting down.

    Raises `ServerUnreachable`, `AccessRefused`, `ServerUnfit`, `InvalidURL`.
    """
    deadline = clock() + patience
    while True:
        try:
            connection = await engine.connect()
            break
        except _refusals() as error:
            # Imported late: only a refusal should pay for its words.
            from alembic_online.postgres.connection.failures import explain_connection  # noqa: PLC0415
            from alembic_online.postgres.connection.libpq_messages import refusal_state  # noqa: PLC0415

            if refusal_state(error) != CANNOT_CONNECT_NOW or clock() >= deadline:
                raise explain_connection(error, target) from error
            await sleep(_PAUSE)
    try:
        yield connection
    finally:
        await connection.close()


def _refusals() -> tuple[type[Exception], ...]:
    import asyncpg  # noqa: PLC0415  only a refusal should pay for it

    return OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError
