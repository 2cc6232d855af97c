"""The one place that commits."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from src.db.models import User
from src.db.session import session_factory, unit_of_work
from tests.db.rows import USER

Sessions = async_sessionmaker[AsyncSession]


class Refused(Exception):
    """What goes wrong in the middle of a unit of work."""


def new_user() -> User:
    return User(id=USER, email="ada@example.org", password_hash="x", name="Ada")


async def fail_midway(sessions: Sessions) -> None:
    async with unit_of_work(sessions) as session:
        session.add(new_user())
        await session.flush()
        raise Refused


def test_a_unit_of_work_commits_at_its_end(migrated: str) -> None:
    async def scenario(sessions: Sessions) -> None:
        async with unit_of_work(sessions) as session:
            session.add(new_user())
        async with unit_of_work(sessions) as session:
            assert (await session.get_one(User, USER)).name == "Ada"

    run(migrated, scenario)


def test_an_exception_rolls_the_unit_of_work_back(migrated: str) -> None:
    async def scenario(sessions: Sessions) -> None:
        with pytest.raises(Refused):
            await fail_midway(sessions)
        async with unit_of_work(sessions) as session:
            assert await session.get(User, USER) is None

    run(migrated, scenario)


def test_an_object_can_be_read_after_the_commit(migrated: str) -> None:
    async def scenario(sessions: Sessions) -> None:
        async with unit_of_work(sessions) as session:
            user = new_user()
            session.add(user)
        assert (user.id, user.language_preference) == (USER, "en")

    run(migrated, scenario)


def test_a_unit_of_work_that_cannot_commit_raises(migrated: str) -> None:
    async def scenario(sessions: Sessions) -> None:
        async with unit_of_work(sessions) as session:
            session.add(new_user())
        with pytest.raises(Exception, match="uq_users_email"):
            async with unit_of_work(sessions) as session:
                session.add(User(email="ADA@example.org", password_hash="x", name="Ada again"))

    run(migrated, scenario)


def run(url: str, scenario: Callable[[Sessions], Awaitable[None]]) -> None:
    async def with_engine() -> None:
        engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
        try:
            await scenario(session_factory(engine))
        finally:
            await engine.dispose()

    asyncio.run(with_engine())
