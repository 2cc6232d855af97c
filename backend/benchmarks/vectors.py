"""Ingest and search of chunks: ours against raw SQL and the vector stores of the two usual libraries, side by side.

The libraries live in an environment of their own, with numpy, which makes the vectors:

    uv venv ../.stores
    uv pip install --python ../.stores/bin/python langchain-postgres llama-index-vector-stores-postgres numpy
    python -m benchmarks.vectors --stores ../.stores/bin/python [--rows 20000]       (from backend/)
"""

import asyncio
import json
import os
import statistics
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
from rich.console import Console
from rich.table import Table

from alembic_online.postgres.embedded import start_server
from benchmarks.apply import ALEMBIC, new_database
from benchmarks.stores.drive import MODULES, K

BACKEND = Path(__file__).resolve().parents[1]
STORES = {
    "ours": "ours",
    "raw SQL": "raw",
    "langchain-postgres": "langchain_store",
    "llama-index": "llama_index_store",
}
SETTINGS = {"shared_buffers": "'1GB'", "maintenance_work_mem": "'1GB'", "max_wal_size": "'4GB'"}
# Texts lie in few dimensions of the many that a model gives them: 48 here, with a little noise in all.
MAKE_VECTORS = """
import sys, numpy as np
folder, rows, queries = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random = np.random.default_rng(7)
basis, centres = random.normal(size=(48, 1536)), random.normal(size=(200, 48)) * 1.5
for name, count in (("vectors", rows), ("queries", queries)):
    points = centres[random.integers(0, 200, count)] + random.normal(size=(count, 48))
    vectors = points @ basis + random.normal(size=(count, 1536)) * 0.3
    (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("<f4").tofile(f"{folder}/{name}")
"""
_EXACT = f"SELECT id FROM raw WHERE $2::text IS NULL OR module = $2 ORDER BY (embedding <=> $1) + 0, id LIMIT {K}"
ROUNDS = 3
console = Console(width=140)


@dataclass
class Contender:
    """A store, and what was measured of it."""

    name: str
    python: str
    url: str = ""
    ingests: list[float] = field(default_factory=list)
    index: float = 0.0
    rounds: list[dict[str, Any]] = field(default_factory=list)

    async def ingest(self, admin: str, folder: Path) -> None:
        """One round of all rows, into a database of its own."""
        self.url = await new_database(admin, f"store_{STORES[self.name]}")
        if self.name == "ours":
            await output(ALEMBIC, "upgrade", "head", DATABASE_URL=self.url)
        else:
            await execute(self.url, "CREATE EXTENSION vector")
        self.ingests.append(await self._run(folder, "ingest"))

    async def build_index(self, folder: Path) -> None:
        self.index = await self._run(folder, "index")

    async def search(self, folder: Path) -> None:
        """One round of all queries."""
        self.rounds.append(await self._run(folder, "search"))

    async def _run(self, folder: Path, phase: str) -> Any:
        script = str(BACKEND / "benchmarks" / "stores" / f"{STORES[self.name]}.py")
        return json.loads(await output(self.python, script, self.url, str(folder), phase, PYTHONPATH=str(BACKEND)))

    @property
    def ingested(self) -> float:
        """Seconds of the median round."""
        return statistics.median(self.ingests)

    def seconds(self, module: str) -> float:
        """Of the median round, for all queries."""
        return statistics.median(float(measured[module]["seconds"]) for measured in self.rounds)


async def output(*command: str, **variables: str) -> bytes:
    """What the command prints, run in `backend/` with these variables in its environment."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=BACKEND, env=os.environ | variables, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{command[:2]} failed")
    return printed


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def truth(url: str, queries: bytes, module: str | None) -> list[set[int]]:
    """The nearest of each query, by comparing all rows of the raw table."""
    connection = await asyncpg.connect(url)
    await connection.execute("SET max_parallel_workers_per_gather = 2")
    vectors = [memoryview(queries[start : start + 6144]).cast("f").tolist() for start in range(0, len(queries), 6144)]
    found = [{row["id"] for row in await connection.fetch(_EXACT, str(values), module)} for values in vectors]
    await connection.close()
    return found


def show_ingest(contenders: Sequence[Contender], rows: int) -> None:
    table = Table(
        title=f"(b) ingest of {rows:,} chunks, no vector index yet; the median of {ROUNDS} rounds, alternating"
    )
    for column in ("store", "rows a second", "ours is", "index built in"):
        table.add_column(column, justify="right")
    for store in contenders:
        ratio = f"{store.ingested / contenders[0].ingested:.1f} times as fast"
        table.add_row(store.name, f"{rows / store.ingested:,.0f}", ratio, f"{store.index:.0f} s")
    console.print(table)


def show_search(contenders: Sequence[Contender], right: dict[str, list[set[int]]]) -> None:
    table = Table(title=f"(c) search, {K} nearest, by two clients; the median of {ROUNDS} rounds, alternating")
    for column in ("chunks that pass", "store", "queries a second", "ours is", f"recall at {K}", "too few answers"):
        table.add_column(column, justify="right")
    for module, nearest in right.items():
        for store in contenders:
            found = [set(numbers) for numbers in store.rounds[0][module]["found"]]
            hit = sum(len(one & wanted) for one, wanted in zip(found, nearest, strict=True))
            few = sum(len(one) < len(wanted) for one, wanted in zip(found, nearest, strict=True))
            table.add_row(
                "all" if module == "all" else f"{MODULES[module]:.0%}",
                store.name,
                f"{len(nearest) / store.seconds(module):,.0f}",
                f"{store.seconds(module) / contenders[0].seconds(module):.1f} times as fast",
                f"{hit / sum(map(len, nearest)):.3f}",
                str(few),
            )
    console.print(table)


async def run(admin: str, stores: str, rows: int, queries: int, folder: Path) -> None:
    await output(stores, "-c", MAKE_VECTORS, str(folder), str(rows), str(queries))
    contenders = [Contender(name, sys.executable if name in ("ours", "raw SQL") else stores) for name in STORES]
    for store in contenders * ROUNDS:  # alternating, so that the machine's mood hits all
        await store.ingest(admin, folder)
    for store in contenders:
        await store.build_index(folder)
    show_ingest(contenders, rows)
    for store in contenders * ROUNDS:
        await store.search(folder)
    vectors = await asyncio.to_thread((folder / "queries").read_bytes)
    asked: Sequence[str | None] = (None, *list(MODULES)[:4])
    show_search(contenders, {module or "all": await truth(contenders[1].url, vectors, module) for module in asked})


def main() -> None:
    parser = ArgumentParser(description="Ingest and search of chunks, side by side.")
    parser.add_argument("--stores", required=True, help="the Python that has the libraries")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=300)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="syllabus-bench-") as folder, TemporaryDirectory() as vectors:
        running = start_server(Path(folder) / "data", temporary=True, settings=SETTINGS)
        asyncio.run(run(running.get_uri(), options.stores, options.rows, options.queries, Path(vectors)))
        running.cleanup()


if __name__ == "__main__":
    main()
