"""Sessions that ask, hold and wait."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.connection.engine import async_engine, resolve_url
from tests.sessions import session


@pytest.fixture
async def asker(database: str) -> AsyncIterator[AsyncConnection]:
    """The superuser's connection, in autocommit."""
    engine = async_engine(resolve_url(database), application_name="asker", isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


@pytest.fixture
async def chapters(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A session that has made the table `chapters` with one row, and now watches."""
    async with session(database) as connection:
        await connection.execute("CREATE TABLE chapters (id int PRIMARY KEY, title text)")
        await connection.execute("INSERT INTO chapters VALUES (1, 'one')")
        yield connection
