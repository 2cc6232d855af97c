"""Raw SQL through asyncpg: one COPY in binary, and the SELECT of pgvector's README with default settings."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
from pgvector.asyncpg import register_vector

from benchmarks.stores.drive import CLIENTS, K, Row, main

_SETUP = "CREATE TABLE raw (id int PRIMARY KEY, module text NOT NULL, content text NOT NULL, embedding vector(1536))"
_INDEX = "CREATE INDEX ON raw USING hnsw (embedding vector_cosine_ops) WITH (m = 16, ef_construction = 200)"
_ALL = f"SELECT id, content FROM raw ORDER BY embedding <=> $1 LIMIT {K}"
_ONE = f"SELECT id, content FROM raw WHERE module = $2 ORDER BY embedding <=> $1 LIMIT {K}"


class Raw:
    """A table with the same columns as the others have."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def prepare(self) -> None:
        await self._pool.execute(_SETUP)

    async def ingest(self, rows: Sequence[Row]) -> None:
        await self._pool.copy_records_to_table("raw", records=rows, columns=["id", "module", "content", "embedding"])

    async def build_index(self) -> None:
        await self._pool.execute(_INDEX)
        await self._pool.execute("VACUUM ANALYZE raw")

    async def search(self, vector: list[float], module: str | None) -> list[int]:
        found = await (self._pool.fetch(_ONE, vector, module) if module else self._pool.fetch(_ALL, vector))
        return [row["id"] for row in found]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Raw]:
    async with asyncpg.create_pool(url, min_size=CLIENTS, max_size=CLIENTS, init=register_vector) as pool:
        yield Raw(pool)


if __name__ == "__main__":
    main(opened)
