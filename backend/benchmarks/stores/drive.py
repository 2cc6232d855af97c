"""Measures one store: `python benchmarks/stores/raw.py URL FOLDER ingest|index|search` prints its figures as JSON.

Needs nothing but the standard library, so that it runs in any environment.
"""

import asyncio
import json
import sys
import time
from array import array
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

DIMENSIONS = 1536
K = 10
CLIENTS = 2
MODULES = {"half": 0.5, "quarter": 0.25, "twentieth": 0.05, "hundredth": 0.01, "rest": 0.19}
"""The modules of the course, and which part of all chunks each has; a chunk's module says nothing about its vector."""


class Row(NamedTuple):
    """A chunk to store; `number` comes back from a search."""

    number: int
    module: str
    content: str
    vector: list[float]


class Store(Protocol):
    """What is compared."""

    async def prepare(self) -> None:
        """Make the empty table."""

    async def ingest(self, rows: Sequence[Row]) -> None:
        """Store the rows, the way that its documentation shows."""

    async def build_index(self) -> None:
        """HNSW for cosine distance, m 16, ef_construction 200."""

    async def search(self, vector: list[float], module: str | None) -> list[int]:
        """The numbers of the `K` nearest, of one module or of all."""


OpenStore = Callable[[str], AbstractAsyncContextManager[Store]]


def modules(count: int) -> list[str]:
    """The module of each row: in a fixed order that mixes them."""
    names = [name for name, part in MODULES.items() for _ in range(round(part * 100))]
    return [names[number * 37 % 100] for number in range(count)]


def read_vectors(path: Path) -> list[list[float]]:
    """The vectors of a file of little-endian 32-bit floats."""
    numbers = array("f", path.read_bytes())
    return [numbers[start : start + DIMENSIONS].tolist() for start in range(0, len(numbers), DIMENSIONS)]


def main(open_store: OpenStore) -> None:
    """Run the store named by the file that calls this, and print what was measured."""
    phases = {"ingest": _ingest, "index": _index, "search": _search}
    url, folder, phase = sys.argv[1], Path(sys.argv[2]), phases[sys.argv[3]]
    print(json.dumps(asyncio.run(phase(open_store, url, folder))))  # noqa: T201 - its output is its product


async def _ingest(open_store: OpenStore, url: str, folder: Path) -> float:
    """Seconds to ingest all vectors."""
    vectors = read_vectors(folder / "vectors")
    of_row = modules(len(vectors))
    rows = [Row(n, of_row[n], f"row {n} " + "text " * 150, vector) for n, vector in enumerate(vectors)]
    async with open_store(url) as store:
        await store.prepare()
        return await _seconds(store.ingest(rows))


async def _index(open_store: OpenStore, url: str, folder: Path) -> float:
    """Seconds to build the index."""
    async with open_store(url) as store:
        return await _seconds(store.build_index())


async def _search(open_store: OpenStore, url: str, folder: Path) -> dict[str, Any]:
    """For each module, and for all: the seconds of all queries, and what they found."""
    queries, searches = read_vectors(folder / "queries"), {}
    async with open_store(url) as store:
        for module in (None, *list(MODULES)[:4]):
            await _search_all(store, queries[:20], module)  # connections, plans and caches are warm
            begun = time.perf_counter()
            found = await _search_all(store, queries, module)
            searches[module or "all"] = {"seconds": time.perf_counter() - begun, "found": found}
    return searches


async def _seconds(work: Awaitable[None]) -> float:
    begun = time.perf_counter()
    await work
    return time.perf_counter() - begun


async def _search_all(store: Store, queries: Sequence[list[float]], module: str | None) -> list[list[int]]:
    """Every query once, by `CLIENTS` at a time."""
    waiting, found = iter(enumerate(queries)), [list[int]() for _ in queries]

    async def client() -> None:
        for number, query in waiting:
            found[number] = await store.search(query, module)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return found
