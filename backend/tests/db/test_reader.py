"""Promise: who waits for a connection gets it in turn, or learns in time that there is none; none is lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg
from sqlalchemy import Integer, bindparam, func, literal, select

from alembic_online.postgres.connection.engine import async_engine
from alembic_online.postgres.connection.url import parse_url
from src.db.hot_query import HotQuery, Reader, open_reader

_LOCK = 7
WAITING = HotQuery(select(func.pg_advisory_xact_lock(_LOCK), literal(1)))
NUMBER = HotQuery(select(bindparam("number", type_=Integer)))


@contextmanager
def held(url: str) -> Iterator[None]:
    """Whoever asks `WAITING` meanwhile, waits."""
    with psycopg.connect(url) as somebody:
        somebody.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        yield


@asynccontextmanager
async def one_connection(url: str, patience: float) -> AsyncIterator[Reader]:
    target = parse_url(url)
    engine = async_engine(target, application_name="test")
    async with open_reader(engine, target, size=1, patience=patience) as reader:
        yield reader
    await engine.dispose()


async def _is_waiting(url: str) -> None:
    """Until somebody waits for a lock."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as admin:
        while not (await (await admin.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")).fetchall())[0][0]:
            pass


async def test_who_came_first_is_next(migrated: str) -> None:
    order = list[int]()
    async with one_connection(migrated, patience=60) as reader:

        async def ask(number: int) -> None:
            order.append(await reader.value(NUMBER, number=number))

        with held(migrated):
            holding = asyncio.create_task(reader.value(WAITING))
            await _is_waiting(migrated)
            asking = [asyncio.create_task(ask(number)) for number in range(20)]
            await asyncio.sleep(0)  # all of them are waiting
        await asyncio.gather(holding, *asking)
    assert order == list(range(20))


async def test_who_waits_too_long_is_told_so_and_takes_no_place(migrated: str) -> None:
    async with one_connection(migrated, patience=0.1) as reader:
        with held(migrated):
            holding = asyncio.create_task(reader.value(WAITING))
            await _is_waiting(migrated)
            outcomes = await asyncio.gather(*(reader.value(NUMBER, number=1) for _ in range(3)), return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [TimeoutError] * 3
        await holding
        assert await reader.value(NUMBER, number=1) == 1


async def test_a_place_is_not_lost_with_who_leaves_while_waiting(migrated: str) -> None:
    async with one_connection(migrated, patience=60) as reader:
        with held(migrated):
            holding = asyncio.create_task(reader.value(WAITING))
            await _is_waiting(migrated)
            leaving, staying = (asyncio.create_task(reader.value(NUMBER, number=each)) for each in (1, 2))
            await asyncio.sleep(0)
            leaving.cancel()
        await asyncio.gather(holding, leaving, return_exceptions=True)
        assert await staying == 2
        assert await reader.value(NUMBER, number=3) == 3
