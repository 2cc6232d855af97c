"""langchain-postgres: its PGVectorStore, with the module as a column of its own, as its documentation advises."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from langchain_core.embeddings import Embeddings
from langchain_postgres import Column, PGEngine, PGVectorStore
from langchain_postgres.v2.indexes import DistanceStrategy, HNSWIndex

from benchmarks.stores.drive import DIMENSIONS, K, Row, main

_TABLE = "langchain"
_COLUMNS = [Column("module", "TEXT", nullable=False), Column("number", "INTEGER", nullable=False)]


class NoEmbeddings(Embeddings):  # type: ignore[misc]  # the library is not in our environment
    """All vectors are given."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise NotImplementedError

    def embed_query(self, text: str) -> list[float]:
        raise NotImplementedError


class LangChain:
    """Asked by vectors that are there already."""

    def __init__(self, engine: PGEngine) -> None:
        self._engine = engine
        self._store: PGVectorStore | None = None

    async def prepare(self) -> None:
        await self._engine.ainit_vectorstore_table(_TABLE, DIMENSIONS, metadata_columns=_COLUMNS)

    async def store(self) -> PGVectorStore:
        """Made when it is first asked for: it wants the table."""
        if self._store is None:
            names = [column.name for column in _COLUMNS]
            self._store = await PGVectorStore.create(self._engine, NoEmbeddings(), _TABLE, metadata_columns=names)
        return self._store

    async def ingest(self, rows: Sequence[Row]) -> None:
        await (await self.store()).aadd_embeddings(
            [row.content for row in rows],
            [row.vector for row in rows],
            [{"module": row.module, "number": row.number} for row in rows],
        )

    async def build_index(self) -> None:
        index = HNSWIndex(m=16, ef_construction=200, distance_strategy=DistanceStrategy.COSINE_DISTANCE)
        await (await self.store()).aapply_vector_index(index)

    async def search(self, vector: list[float], module: str | None) -> list[int]:
        chosen = {"module": module} if module else None
        found = await (await self.store()).asimilarity_search_by_vector(vector, k=K, filter=chosen)
        return [document.metadata["number"] for document in found]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[LangChain]:
    engine = PGEngine.from_connection_string(url.replace("postgresql:", "postgresql+asyncpg:", 1))
    yield LangChain(engine)
    await engine.close()


if __name__ == "__main__":
    main(opened)
