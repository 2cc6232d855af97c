"""What each of fourteen changes does to the clients of its table and of the parent, plain and with ours.

python -m benchmarks.stall                          (from backend/; a million rows: half an hour)
python -m benchmarks.stall --rows 100000 --only "an index" --scene nothing
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import asyncpg

from benchmarks import projects
from benchmarks.apply import new_database, server, upgrade
from benchmarks.changes import CHANGES, REQUESTS, Change, setup
from benchmarks.load import Waits, clients, long_reader

SCENES = ("nothing", "reader", "autovacuum")
ENVIRONMENTS = ("plain", "ours")
READER_SECONDS = 10.0
RATE = 30  # of each of six requests, a second
_LOOK = 0.02
# Clients are known by what they ask, so the migration's own waits do not count.
_LOCK_WAIT = """
    SELECT extract(epoch FROM max(clock_timestamp() - l.waitstart))::float8 FROM pg_locks l
    JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.application_name = 'client'
"""
_AUTOVACUUM = """
    SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid)
    WHERE backend_type = 'autovacuum worker' AND l.relation = 'books'::regclass
"""


@dataclass
class Outcome:
    """Of one change in one environment and one scene."""

    waits: Waits
    longest_lock: float
    """The longest that a client waited for a lock, in seconds, as sampled every 20 ms."""
    seconds: float
    """Of the whole command; 0 if it failed."""


async def main(options: Namespace) -> None:
    with server({"autovacuum_naptime": "1s", "max_wal_size": "'4GB'"}) as admin, TemporaryDirectory() as folder:
        await new_database(admin, "stall_template", setup(options.rows))
        for scene in options.scene:
            _print(*_headings(scene, options.rows))
            for change in (change for change in CHANGES if not options.only or change.name in options.only):
                for environment in options.environment:
                    outcome = await measure(admin, Path(folder), change, environment, scene)
                    _print(_row(change.name, environment, *_words(outcome)))


async def measure(admin: str, folder: Path, change: Change, environment: str, scene: str) -> Outcome:
    """Make the table again, and change it while clients use it."""
    name = f"stall_{environment}"
    await _clone(admin, name)
    url = urlsplit(admin)._replace(path=f"/{name}").geturl()
    project = folder / f"{scene}_{CHANGES.index(change)}_{environment}"
    projects.make(project, environment, url, [change.of(environment)])
    vacuumed = _vacuumed(url) if scene == "autovacuum" else nullcontext()
    reading = long_reader(url, READER_SECONDS, ("books", "authors")) if scene == "reader" else nullcontext()
    async with vacuumed, clients(url, REQUESTS, RATE) as waits:
        await asyncio.sleep(1)
        async with reading, _lock_waits(url) as locks:
            seconds = await upgrade(project, url, may_fail=True)
        await asyncio.sleep(1)
    return Outcome(waits, max(locks, default=0.0), seconds)


async def _clone(admin: str, name: str) -> None:
    connection = await asyncpg.connect(admin)
    await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE stall_template STRATEGY file_copy")
    await connection.close()


@asynccontextmanager
async def _lock_waits(url: str) -> AsyncIterator[list[float]]:
    """How long clients wait for locks, while the block runs."""
    found: list[float] = []
    connection = await asyncpg.connect(url)

    async def look() -> None:
        while True:
            if (seconds := await connection.fetchval(_LOCK_WAIT)) is not None:
                found.append(seconds)
            await asyncio.sleep(_LOOK)

    task = asyncio.create_task(look())
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.close(timeout=5)


@asynccontextmanager
async def _vacuumed(url: str) -> AsyncIterator[None]:
    """An autovacuum is at work on the table when the block begins, and is slow."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "ALTER TABLE books SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1,"
        " autovacuum_vacuum_cost_delay = 50, autovacuum_vacuum_cost_limit = 100)"
    )
    await connection.execute("UPDATE books SET unused = 'x' WHERE id % 10 = 0")
    while not await connection.fetchval(_AUTOVACUUM):  # noqa: ASYNC110  another process is waited for
        await asyncio.sleep(0.1)
    yield
    await connection.close()


def _headings(scene: str, rows: int) -> tuple[str, ...]:
    words = {
        "nothing": "nothing in the way",
        "reader": f"a reader's transaction, open for {READER_SECONDS:.0f} s",
        "autovacuum": "an autovacuum on the table",
    }
    title = f"\n{rows:,} rows, {words[scene]}; {RATE} of each of {len(REQUESTS)} requests a second\n"
    numbers = ("longest request", "longest wait for a lock", "over 100 ms", "over 1 s", "errors", "command")
    return title, _row("change", "environment", *numbers), _row("---", "---", *("---:" for _ in numbers))


def _words(outcome: Outcome) -> tuple[str, ...]:
    waits = outcome.waits
    return (
        f"{waits.longest * 1000:,.0f} ms",
        f"{outcome.longest_lock * 1000:,.0f} ms",
        f"{waits.over(0.1)} of {len(waits.seconds)}",
        str(waits.over(1.0)),
        str(len(waits.errors)),
        f"{outcome.seconds:.1f} s" if outcome.seconds else "failed",
    )


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _print(*lines: str) -> None:
    """At once: a run takes long, and is worth something also when it is stopped."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks.stall")
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N", help="rows of the table (1000000)")
    parser.add_argument("--scene", nargs="+", choices=SCENES, default=SCENES, help="what is in the way")
    parser.add_argument("--only", nargs="+", choices=[change.name for change in CHANGES], help="which changes")
    parser.add_argument("--environment", nargs="+", choices=ENVIRONMENTS, default=ENVIRONMENTS, help="which one")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(_options()))
