"""Sessions, and the one place that commits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker


def session_factory(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions whose objects can still be read after the commit, when no I/O may happen any more."""
    return async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def unit_of_work(sessions: async_sessionmaker[AsyncSession]) -> AsyncIterator[AsyncSession]:
    """One session in one transaction: committed at the end, rolled back by any exception. Nobody else commits.

    An API dependency that yields this session has to finish before the answer leaves (FastAPI: `scope="function"`);
    otherwise a commit that fails is answered with 200.
    """
    async with sessions.begin() as session:
        yield session
