"""Sessions of the application's kind, on a real database."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from alembic_online.postgres.connection.engine import async_engine
from alembic_online.postgres.connection.url import parse_url
from src.db.hot_query import Reader, open_reader

OpenReader = Callable[[str], AbstractAsyncContextManager[Reader]]
OpenSession = Callable[[str], AbstractAsyncContextManager[AsyncSession]]


@pytest.fixture
def open_session() -> OpenSession:
    """`async with open_session(url) as session`: a session on a connection of its own, rolled back at the end."""

    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[AsyncSession]:
        engine = async_engine(parse_url(url), application_name="test")
        try:
            async with AsyncSession(engine) as session:
                yield session
        finally:
            await engine.dispose()

    return opened


@pytest.fixture
def open_reader_of() -> OpenReader:
    """`async with open_reader(url) as reader`: the application's way to ask hot queries."""

    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[Reader]:
        target = parse_url(url)
        engine = async_engine(target, application_name="test")
        async with open_reader(engine, target, size=1, patience=10) as reader:
            yield reader
        await engine.dispose()

    return opened
