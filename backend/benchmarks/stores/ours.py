"""Ours: chunks replaced chapter by chapter, and the statement of `POST /search`, with titles and snippets.

Two chapters at once, as `python -m src.course embed` has several.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from pgvector import Vector
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alembic_online.postgres.connection.engine import async_engine
from alembic_online.postgres.connection.url import parse_url
from benchmarks.stores.drive import CLIENTS, MODULES, K, Row, main
from src.db.hot_query import Reader, open_reader
from src.db.queries.embeddings import Chunk, replace_chunks
from src.db.queries.nearest import EVERYWHERE, Scope
from src.db.queries.search import Query, search
from src.db.session import session_factory, unit_of_work
from src.db.vector import DEFAULT_MODEL

_CHAPTER = 100  # chunks
_ADD_MODULE = text(
    "INSERT INTO modules (slug, title, description, position, is_published) VALUES (:slug, :slug, '', 1, true)"
)
_ADD_CHAPTER = text(
    "INSERT INTO chapters (module_id, slug, title, description, position, is_published)"
    " SELECT id, :slug, :slug, '', 1, true FROM modules WHERE slug = :module RETURNING id"
)
_INDEX = "CREATE INDEX ix_embeddings_embedding ON embeddings USING hnsw (embedding vector_cosine_ops)"


class Ours:
    """On a database at head, without the vector index at first: none of the others has one while it ingests."""

    def __init__(self, engine: AsyncEngine, reader: Reader) -> None:
        self._engine = engine
        self._reader = reader
        self._sessions = session_factory(engine)

    async def prepare(self) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(text("DROP INDEX ix_embeddings_embedding"))
            await connection.execute(_ADD_MODULE, [{"slug": slug} for slug in MODULES])

    async def ingest(self, rows: Sequence[Row]) -> None:
        by_module = defaultdict[str, list[Row]](list)
        for row in rows:
            by_module[row.module].append(row)
        waiting = iter(
            (module, f"chapter-{start}", chunks[start : start + _CHAPTER])
            for module, chunks in by_module.items()
            for start in range(0, len(chunks), _CHAPTER)
        )

        async def writer() -> None:
            for module, slug, chunks in waiting:
                await self._put(module, slug, chunks)

        await asyncio.gather(*(writer() for _ in range(CLIENTS)))

    async def _put(self, module: str, slug: str, rows: Sequence[Row]) -> None:
        async with unit_of_work(self._sessions) as session:
            chapter: UUID = (await session.execute(_ADD_CHAPTER, {"module": module, "slug": slug})).scalar_one()
            chunks = [Chunk(row.content, Vector(row.vector)) for row in rows]
            await replace_chunks(session, chapter, DEFAULT_MODEL, chunks)

    async def build_index(self) -> None:
        async with self._engine.connect() as connection:
            connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text(f"{_INDEX} WITH (m = 16, ef_construction = 200)"))
            await connection.execute(text("VACUUM ANALYZE"))

    async def search(self, vector: list[float], module: str | None) -> list[int]:
        scope = Scope(module) if module else EVERYWHERE
        query = Query(vector=Vector(vector), model=DEFAULT_MODEL, scope=scope)
        hits = await search(self._reader, query, limit=K)
        return [int(hit.snippet.split()[1]) for hit in hits]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Ours]:
    target = parse_url(url)
    engine = async_engine(target, application_name="benchmark")
    async with open_reader(engine, target, size=CLIENTS, patience=10) as reader:
        yield Ours(engine, reader)
    await engine.dispose()


if __name__ == "__main__":
    main(opened)
