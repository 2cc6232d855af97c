"""A backfill beside one big UPDATE of the same rows: how long, and what the table grows to.

python -m benchmarks.backfill [--rows 1000000]        (from backend/)
"""

import asyncio
import statistics
import time
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import asyncpg
from rich.console import Console
from rich.table import Table

from alembic_online.backfill.definition import Backfill
from alembic_online.backfill.run import backfill
from alembic_online.postgres.connection.engine import async_engine, resolve_url
from benchmarks.apply import new_database, server

ROUNDS = 3
SETUP = """
    CREATE TABLE books (id int PRIMARY KEY, author_id int, title text, pages int, price int, total int);
    INSERT INTO books SELECT g, g % 1000, 'title ' || g, g % 900 + 1, 7 FROM generate_series(1, {rows}) g;
    CREATE INDEX ON books (author_id);
    CREATE INDEX ON books (title);
"""
VALUES = {"total": "pages * price"}
SIZE = "SELECT pg_relation_size('books')"
Fill = Callable[[str], Awaitable[None]]


@dataclass
class Way:
    """One of the two, and what was measured of it."""

    name: str
    fill: Fill
    seconds: list[float] = field(default_factory=list)
    growth: list[float] = field(default_factory=list)
    """The table's bytes afterwards, as a share of those before."""

    async def measure(self, admin: str, rows: int) -> None:
        """Fill the column of a new table."""
        url = await new_database(admin, "backfill", SETUP.format(rows=rows))
        before, begun = await _size(url), time.perf_counter()
        await self.fill(url)
        self.seconds.append(time.perf_counter() - begun)
        self.growth.append(await _size(url) / before)


async def one_update(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE books SET total = pages * price")
    await connection.close()


async def in_batches(url: str) -> None:
    engine = async_engine(resolve_url(url), application_name="backfill")
    await backfill(engine, Backfill(table="books", values=VALUES))
    await engine.dispose()


async def _size(url: str) -> int:
    connection = await asyncpg.connect(url)
    size: int = await connection.fetchval(SIZE)
    await connection.close()
    return size


async def main(rows: int) -> None:
    ways = [Way("one big UPDATE", one_update), Way("backfill", in_batches)]
    with server({"max_wal_size": "'4GB'"}) as admin:
        for way in ways * ROUNDS:  # alternating, so that the machine's mood hits both
            await way.measure(admin, rows)
    table = Table(
        "way", "seconds", "of one UPDATE", "the table's size afterwards", title=f"{rows:,} rows, three indexes"
    )
    least = statistics.median(ways[0].seconds)
    for way in ways:
        seconds, growth = statistics.median(way.seconds), statistics.median(way.growth)
        table.add_row(way.name, f"{seconds:.1f} s", f"{seconds / least:.2f} times", f"{growth:.2f} times")
    Console(width=120).print(table)


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m benchmarks.backfill")
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N", help="rows of the table (1000000)")
    asyncio.run(main(parser.parse_args().rows))
