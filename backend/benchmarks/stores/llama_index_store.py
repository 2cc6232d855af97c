"""llama-index-vector-stores-postgres: its PGVectorStore, with the metadata as JSONB and an index on the module."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import ExactMatchFilter, MetadataFilters, VectorStoreQuery
from llama_index.vector_stores.postgres import PGVectorStore

from benchmarks.stores.drive import DIMENSIONS, K, Row, main

_HNSW = {"hnsw_m": 16, "hnsw_ef_construction": 200, "hnsw_ef_search": 40, "hnsw_dist_method": "vector_cosine_ops"}


class LlamaIndex:
    """Asked by vectors that are there already."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.store = self._open(dict(_HNSW))  # makes table and index when it is first used

    def _open(self, hnsw: dict[str, object] | None) -> PGVectorStore:
        return PGVectorStore(
            connection_string=self._url.replace("postgresql:", "postgresql+psycopg2:", 1),
            async_connection_string=self._url.replace("postgresql:", "postgresql+asyncpg:", 1),
            table_name="llama",
            schema_name="public",
            embed_dim=DIMENSIONS,
            use_jsonb=True,
            hnsw_kwargs=hnsw,
            indexed_metadata_keys={("module", "text")},
        )

    async def prepare(self) -> None:
        self.store = self._open(None)  # no index yet
        await self.search([1.0] * DIMENSIONS, None)

    async def ingest(self, rows: Sequence[Row]) -> None:
        nodes = [
            TextNode(text=row.content, embedding=row.vector, metadata={"module": row.module, "number": row.number})
            for row in rows
        ]
        await self.store.async_add(nodes)

    async def build_index(self) -> None:
        await self.store.close()
        self.store = self._open(dict(_HNSW))
        await self.search([1.0] * DIMENSIONS, None)

    async def search(self, vector: list[float], module: str | None) -> list[int]:
        filters = MetadataFilters(filters=[ExactMatchFilter(key="module", value=module)]) if module else None
        query = VectorStoreQuery(query_embedding=vector, similarity_top_k=K, filters=filters)
        found = await self.store.aquery(query)
        return [node.metadata["number"] for node in found.nodes or []]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[LlamaIndex]:
    llama = LlamaIndex(url)
    yield llama
    await llama.store.close()


if __name__ == "__main__":
    main(opened)
