"""Promise: where a column has got another type, no client sees that its statement was prepared for the old one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from alembic_online.postgres.connection.cached_plans import is_outdated_plan, retry_outdated_plans
from alembic_online.postgres.connection.engine import async_engine
from alembic_online.postgres.connection.url import parse_url
from tests.alembic_online.postgres.connection.connecting import PGBOUNCER
from tests.api.pgbouncer import transaction_pooler
from tests.servers import server_directory

READ = text("SELECT n FROM things WHERE id = :id")
WIDER = "ALTER TABLE things ALTER n TYPE bigint"
DRIVERS = pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])


@pytest.fixture
def things(database: str) -> str:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE things (id int PRIMARY KEY, n int); INSERT INTO things VALUES (1, 7)")
    return database


def change(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(WIDER)


Opened = Callable[..., Awaitable[AsyncEngine]]


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """`await opened(url, driver)`: an engine of one connection, which has prepared its statement."""
    engines = []

    async def open_(url: str, driver: str, **options: Any) -> AsyncEngine:
        engine = create_async_engine(url.replace("postgresql:", f"postgresql+{driver}:"), pool_size=1, **options)
        engines.append(engine)
        async with engine.connect() as connection:
            for _ in range(8):  # psycopg prepares what it has sent five times
                assert await read(connection) == 7
        return engine

    yield open_
    for engine in engines:
        await engine.dispose()


async def read(connection: AsyncConnection) -> Any:
    """In a transaction of its own."""
    value = await connection.scalar(READ, {"id": 1})
    await connection.commit()
    return value


@DRIVERS
@pytest.mark.parametrize("options", [{}, {"isolation_level": "AUTOCOMMIT"}], ids=["transaction", "autocommit"])
async def test_a_client_does_not_see_it(things: str, opened: Opened, driver: str, options: dict[str, Any]) -> None:
    plain = await opened(things, driver, **options)
    engine = retry_outdated_plans(await opened(things, driver, **options))
    change(things)
    async with engine.connect() as connection:
        assert [await read(connection) for _ in range(8)] == [7] * 8
    with pytest.raises(DBAPIError) as raised:
        async with plain.connect() as connection:
            await read(connection)
    assert is_outdated_plan(raised.value)


@DRIVERS
async def test_what_has_begun_to_write_gets_the_error_and_nothing_is_done_twice(
    things: str, opened: Opened, driver: str
) -> None:
    engine = retry_outdated_plans(await opened(things, driver))
    change(things)
    async with engine.connect() as connection:
        await connection.execute(text("INSERT INTO things VALUES (2, 8)"))
        with pytest.raises(DBAPIError) as raised:
            await connection.scalar(READ, {"id": 1})
        assert is_outdated_plan(raised.value)
        await connection.rollback()
        assert await connection.scalar(text("SELECT count(*) FROM things")) == 1
        await connection.rollback()
        assert await read(connection) == 7


def test_nor_does_one_that_awaits_nothing(things: str) -> None:
    engine = retry_outdated_plans(create_engine(things.replace("postgresql:", "postgresql+psycopg:"), pool_size=1))
    for number in range(16):
        if number == 8:
            change(things)
        with engine.begin() as connection:
            assert connection.scalar(READ, {"id": 1}) == 7
    engine.dispose()


@PGBOUNCER
@DRIVERS
async def test_nor_behind_a_pooler(things: str, driver: str) -> None:
    with server_directory() as folder, transaction_pooler(things, folder) as pooled:
        target = parse_url(f"{pooled}&pgbouncer=true".replace("postgresql:", f"postgresql+{driver}:"))
        engine = retry_outdated_plans(async_engine(target, application_name="test", pool_size=1))
        async with engine.connect() as connection:
            assert [await read(connection) for _ in range(8)] == [7] * 8
            change(things)
            assert [await read(connection) for _ in range(8)] == [7] * 8
        await engine.dispose()
