"""What `alembic upgrade head` does to the clients of a table, plain and with ours, and what the protections cost.

python -m benchmarks.apply            (from backend/, or: make bench)
"""

import asyncio
import os
import resource
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import asyncpg
from rich.console import Console
from rich.table import Table

from alembic_online.postgres.embedded import start_server
from benchmarks.load import SETUP, Waits, clients, long_reader
from benchmarks.projects import make

READER_SECONDS = 10.0
REPEATS = 15
MIGRATION = 'op.add_column("books", sa.Column("note", sa.Text))'
REVISIONS = [f'op.create_table("t{n}", sa.Column("id", sa.Integer, primary_key=True))' for n in range(10)]
ALEMBIC = str(Path(sys.executable).with_name("alembic"))
console = Console()
# An installed project has its bytecode; who tells Python to write none pays for 0.1 s of compiling in every command.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@contextmanager
def server(settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """A server of our own; yields the URL of its database postgres."""
    with TemporaryDirectory(prefix="syllabus-bench-") as folder:
        given = {"max_connections": "300", **(settings or {})}
        running = start_server(Path(folder) / "data", temporary=True, settings=given)
        yield running.get_uri()
        running.cleanup()


async def new_database(admin: str, name: str, setup: str = "") -> str:
    """A new database; returns its URL."""
    connection = await asyncpg.connect(admin)
    await connection.execute(f"DROP DATABASE IF EXISTS {name}")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    url = urlsplit(admin)._replace(path=f"/{name}").geturl()
    connection = await asyncpg.connect(url)
    if setup:
        await connection.execute(setup)
        await connection.execute("VACUUM ANALYZE books")
    await connection.close()
    return url


async def upgrade(folder: Path, url: str, *, may_fail: bool = False) -> float:
    """Run the command as a process of its own; returns its seconds. Fails if it fails, or returns 0."""
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        ALEMBIC, "-c", str(folder / "alembic.ini"), "upgrade", "head", env=_ENVIRONMENT | {"DATABASE_URL": url}
    )
    if await process.wait():
        if may_fail:
            return 0.0
        raise SystemExit(f"alembic failed in {folder.name}")
    return time.perf_counter() - begun


async def stall(admin: str, environment: str, folder: Path, *, reader: bool) -> tuple[Waits, float]:
    """Clients' waits and the migration's seconds, with a long reader in the way or without."""
    url = await new_database(admin, f"stall_{environment}", SETUP)
    make(folder, environment, url, [MIGRATION])
    async with clients(url) as waits:
        await asyncio.sleep(1)
        if reader:
            async with long_reader(url, READER_SECONDS):
                seconds = await upgrade(folder, url)
        else:
            seconds = await upgrade(folder, url)
        await asyncio.sleep(1)
    return waits, seconds


async def show_stalls(admin: str, folder: Path) -> None:
    table = Table(title="(a) add a column to a table of 100,000 rows, under 100 reads and 100 writes a second")
    for column in ("", "environment", "longest client wait", "requests over 100 ms", "errors", "migration"):
        table.add_column(column, justify="right")
    for reader in (False, True):
        for environment in ("plain", "ours"):
            waits, seconds = await stall(admin, environment, folder / f"{environment}{reader}", reader=reader)
            row = f"{waits.longest * 1000:.0f} ms", f"{waits.over(0.1)} of {len(waits.seconds)}", str(len(waits.errors))
            scene = "a reader's transaction open for 10 s" if reader else "nothing in the way"
            table.add_row(scene, environment, *row, f"{seconds:.1f} s")
    console.print(table)


async def overhead(admin: str, folder: Path, upgrades: list[str], *, repeats: int, title: str) -> Table:
    """These revisions on an empty database, plain and ours alternating: medians, quartiles and ratios."""
    wall: dict[str, list[float]] = {"plain": [], "ours": []}
    work: dict[str, list[float]] = {"plain": [], "ours": []}
    for repeat in range(repeats + 1):
        for environment in wall:  # side by side, so that the machine's mood hits both
            url = await new_database(admin, f"overhead_{environment}")
            project = folder / f"{environment}_{repeat}"
            make(project, environment, url, upgrades)
            before = _processor_seconds()
            wall[environment].append(await upgrade(project, url))
            work[environment].append(_processor_seconds() - before)
    table = Table(title=title)
    for column in ("environment", "median", "quartiles", "ratio", "processor", "quartiles", "ratio"):
        table.add_column(column, justify="right")
    for environment in wall:
        row = [cell for each in (wall, work) for cell in _cells(each[environment][1:], each["plain"][1:])]
        table.add_row(environment, *row)  # the first run of each only wrote the bytecode
    return table


def _processor_seconds() -> float:
    """Seconds of processor that the commands have had, which do not depend on who else works on the machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _cells(seconds: list[float], plain: list[float]) -> tuple[str, str, str]:
    low, median, high = statistics.quantiles(seconds, n=4)
    ratio = median / statistics.median(plain)
    return f"{median * 1000:.0f} ms", f"{low * 1000:.0f} to {high * 1000:.0f}", f"{ratio:.2f}"


async def main() -> None:
    with server() as admin, TemporaryDirectory() as folder:
        await show_stalls(admin, Path(folder))
        title = f"(b) ten revisions on an empty database, the whole command, {REPEATS} runs each, alternating"
        console.print(await overhead(admin, Path(folder), REVISIONS, repeats=REPEATS, title=title))


if __name__ == "__main__":
    asyncio.run(main())
