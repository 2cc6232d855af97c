"""Clients that read and write one table at a steady rate, and note how long each request took."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

RATE = 100  # requests a second, of each client
SETUP = """
CREATE TABLE books (id int PRIMARY KEY, title text NOT NULL, read_count int NOT NULL DEFAULT 0);
INSERT INTO books SELECT g, 'title ' || g FROM generate_series(1, 100000) g;
"""
READ_AND_WRITE = (
    "SELECT id, title FROM books WHERE id = $1",
    "UPDATE books SET read_count = read_count + 1 WHERE id = $1",
)


@dataclass
class Waits:
    """Seconds of every request, and the errors."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def longest(self) -> float:
        return max(self.seconds)

    def over(self, seconds: float) -> int:
        return sum(wait > seconds for wait in self.seconds)


@asynccontextmanager
async def clients(url: str, requests: Sequence[str] = READ_AND_WRITE, rate: int = RATE) -> AsyncIterator[Waits]:
    """A client for each of `requests`, at `rate` a second, until the block ends."""
    waits, going = Waits(), asyncio.Event()
    tasks = [asyncio.create_task(_client(url, statement, rate, waits, going)) for statement in requests]
    try:
        yield waits
    finally:
        going.set()
        await asyncio.gather(*tasks)


async def _client(url: str, statement: str, rate: int, waits: Waits, ended: asyncio.Event) -> None:
    pool = await asyncpg.create_pool(url, min_size=4, max_size=40, server_settings={"application_name": "client"})
    requests = set[asyncio.Task[None]]()
    number = 0
    while not ended.is_set():
        number = number % 100_000 + 1
        # At a steady rate, whether or not the ones before were answered: so a queue shows as it does to people.
        requests.add(asyncio.create_task(_request(pool, statement, number, waits)))
        await asyncio.sleep(1 / rate)
    await asyncio.gather(*requests)
    await pool.close()


async def _request(pool: asyncpg.Pool, statement: str, number: int, waits: Waits) -> None:
    begun = time.perf_counter()
    try:
        await pool.execute(statement, number)
    except asyncpg.PostgresError as error:
        waits.errors.append(type(error).__name__)
    waits.seconds.append(time.perf_counter() - begun)


@asynccontextmanager
async def long_reader(url: str, seconds: float, tables: Sequence[str] = ("books",)) -> AsyncIterator[None]:
    """A transaction that has read the tables and stays open for `seconds`, as a report or a forgotten console does."""
    connection = await asyncpg.connect(url)
    transaction = connection.transaction(isolation="repeatable_read")
    await transaction.start()
    for table in tables:
        await connection.execute(f"SELECT count(*) FROM {table}")
    ending = asyncio.get_running_loop().call_later(seconds, lambda: asyncio.ensure_future(transaction.rollback()))
    yield
    ending.cancel()
    await connection.close()
