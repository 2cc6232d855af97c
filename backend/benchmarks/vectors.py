"""Ingest and search of chunks: ours against raw SQL and the vector stores of the two usual libraries, side by side.

The libraries live in an environment of their own, with numpy, which makes the vectors:

    uv venv /tmp/stores
    uv pip install --python /tmp/stores/bin/python langchain-postgres llama-index-vector-stores-postgres numpy
    python -m benchmarks.vectors --stores /tmp/stores/bin/python [--rows 20000]       (from backend/)
"""

import asyncio
import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
from rich.console import Console
from rich.table import Table

from benchmarks.apply import ALEMBIC, new_database
from benchmarks.stores.drive import MODULES, K
from src.postgres.embedded import start_server

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
console = Console(width=140)


async def measure(admin: str, name: str, python: str, folder: Path) -> tuple[str, dict[str, Any]]:
    """The figures of one store, and the URL of its database."""
    url = await new_database(admin, f"store_{STORES[name]}")
    if name == "ours":
        await output(ALEMBIC, "upgrade", "head", DATABASE_URL=url)
    else:
        await execute(url, "CREATE EXTENSION vector")
    script = BACKEND / "benchmarks" / "stores" / f"{STORES[name]}.py"
    return url, json.loads(await output(python, str(script), url, str(folder), PYTHONPATH=str(BACKEND)))


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


def show_ingest(figures: dict[str, dict[str, Any]], rows: int) -> None:
    table = Table(title=f"(b) ingest of {rows:,} chunks, no vector index yet")
    for column in ("store", "rows a second", "ours is", "index built in"):
        table.add_column(column, justify="right")
    for name, measured in figures.items():
        ratio = f"{measured['ingest'] / figures['ours']['ingest']:.1f} times as fast"
        table.add_row(name, f"{rows / measured['ingest']:,.0f}", ratio, f"{measured['index']:.0f} s")
    console.print(table)


def show_search(figures: dict[str, dict[str, Any]], right: dict[str, list[set[int]]]) -> None:
    table = Table(title=f"(c) search, {K} nearest, by two clients")
    for column in ("chunks that pass", "store", "queries a second", "ours is", f"recall at {K}", "too few answers"):
        table.add_column(column, justify="right")
    for module, nearest in right.items():
        for name, measured in figures.items():
            search, ours = measured["searches"][module], figures["ours"]["searches"][module]
            ratio = f"{search['seconds'] / ours['seconds']:.1f} times as fast"
            hit = sum(len(set(found) & wanted) for found, wanted in zip(search["found"], nearest, strict=True))
            recall = f"{hit / sum(map(len, nearest)):.3f}"
            few = sum(len(found) < len(wanted) for found, wanted in zip(search["found"], nearest, strict=True))
            part = "all" if module == "all" else f"{MODULES[module]:.0%}"
            table.add_row(part, name, f"{len(nearest) / search['seconds']:,.0f}", ratio, recall, str(few))
    console.print(table)


async def run(admin: str, stores: str, rows: int, queries: int, folder: Path) -> None:
    await output(stores, "-c", MAKE_VECTORS, str(folder), str(rows), str(queries))
    figures, urls = dict[str, dict[str, Any]](), dict[str, str]()
    for name in STORES:
        python = sys.executable if name in ("ours", "raw SQL") else stores
        urls[name], figures[name] = await measure(admin, name, python, folder)
        console.print(f"{name} is measured.")
    asked: Sequence[str | None] = (None, *list(MODULES)[:4])
    vectors = await asyncio.to_thread((folder / "queries").read_bytes)
    right = {module or "all": await truth(urls["raw SQL"], vectors, module) for module in asked}
    show_ingest(figures, rows)
    show_search(figures, right)


def main() -> None:
    parser = ArgumentParser(description="Ingest and search of chunks, side by side.")
    parser.add_argument("--stores", required=True, help="the Python that has the libraries")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=200)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="syllabus-bench-") as folder, TemporaryDirectory() as vectors:
        running = start_server(Path(folder) / "data", temporary=True, settings=SETTINGS)
        asyncio.run(run(running.get_uri(), options.stores, options.rows, options.queries, Path(vectors)))
        running.cleanup()


if __name__ == "__main__":
    main()
