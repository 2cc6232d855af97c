"""The nearest chunks are the nearest, as many as were asked for, whatever filter and whichever way of scanning."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import psycopg
import pytest
from pgvector import Vector
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from src.db.queries import nearest
from src.db.queries.nearest import EVERYWHERE, Scan, Scope
from src.db.queries.search import Hit, Query, search
from tests.db.queries.conftest import OpenSession
from tests.db.queries.library import (
    MODEL,
    Chunk,
    add_chapter,
    add_chunks,
    add_module,
    distance,
    somewhere,
    values,
)
from tests.servers import Server

pytestmark = pytest.mark.anyio

SCOPES = {"everywhere": EVERYWHERE, "a module": Scope("tables"), "a chapter": Scope("tables", "locks")}
FAR = [-10.0, 0, 0, 0, 0, 0, 0, 0]


@dataclass(frozen=True)
class Library:
    """A database that tests only read, and the chunks of it that everybody may see."""

    url: str
    chunks: Sequence[Chunk]

    def within(self, scope: Scope) -> list[Chunk]:
        return [
            chunk
            for chunk in self.chunks
            if scope.module in (None, chunk.module) and scope.chapter in (None, chunk.chapter)
        ]


@pytest.fixture(scope="module")
def library(server: Server, template: str) -> Iterator[Library]:
    with server.database(template=template) as url, psycopg.connect(url, autocommit=True) as connection:
        chunks = []
        for module, is_published in (("tables", True), ("queries", True), ("secret", False)):
            add_module(connection, module, is_published=is_published)
            for chapter in ("locks", "indexes", "draft"):
                add_chapter(connection, module, chapter, is_published=chapter != "draft")
                added = add_chunks(connection, module, chapter, [somewhere() for _ in range(60)])
                chunks += added if is_published and chapter != "draft" else []
        add_module(connection, "far")
        add_chapter(connection, "far", "away")
        away = [[-10 + number / 100, 1, 0, 0, 0, 0, 0, 0] for number in range(30)]
        chunks += add_chunks(connection, "far", "away", away)
        add_chunks(connection, "tables", "locks", [somewhere() for _ in range(60)], model="another")
        connection.execute("VACUUM ANALYZE")
        yield Library(url, chunks)


@contextmanager
def scanning(scan: Scan) -> Iterator[None]:
    """Let the choice fall on `scan`."""
    with patch.object(nearest, "EXACT_LIMIT", 10_000 if scan is Scan.EXACT else 10):
        yield


async def ask(session: AsyncSession, vector: Sequence[float], scope: Scope, limit: int = 10) -> Sequence[Hit]:
    query = Query(vector=Vector(values(*vector)), model=MODEL, scope=scope)
    return await search(session, query, limit=limit)


@pytest.mark.parametrize("scan", Scan)
@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
async def test_they_are_the_nearest_in_their_order(
    library: Library, open_session: OpenSession, scope: Scope, scan: Scan
) -> None:
    candidates = library.within(scope)
    found = right = 0
    async with open_session(library.url) as session:
        with scanning(scan):
            for _ in range(20):
                vector = somewhere()
                hits = await ask(session, vector, scope)
                nearest_first = sorted(candidates, key=lambda chunk: distance(vector, chunk.values))[:10]
                right += len({hit.chunk_id for hit in hits} & {chunk.id for chunk in nearest_first})
                found += len(hits)
    assert found == 200
    assert right >= (200 if scan is Scan.EXACT else 196)


@pytest.mark.parametrize("scan", Scan)
async def test_there_are_as_many_as_asked_for_where_there_are_so_many(
    library: Library, open_session: OpenSession, scan: Scan
) -> None:
    """All of a small module, from the other end of the space, with an index that gives up at once."""
    async with open_session(library.url) as session:
        with scanning(scan):
            await session.execute(text("SELECT set_config('hnsw.max_scan_tuples', '1', false)"))
            assert len(await ask(session, [-value for value in FAR], Scope("far"), limit=30)) == 30
            assert len(await ask(session, FAR, Scope("far"), limit=31)) == 30


async def test_few_candidates_are_compared_and_many_looked_up(library: Library, open_session: OpenSession) -> None:
    async with open_session(library.url) as session:
        with patch.object(nearest, "EXACT_LIMIT", 120):
            assert await nearest.choose(session, Scope("tables"), MODEL) is Scan.EXACT
            assert await nearest.choose(session, EVERYWHERE, MODEL) is Scan.INDEX
            assert await nearest.choose(session, EVERYWHERE, "another") is Scan.EXACT


async def test_the_settings_of_an_index_scan_end_with_its_transaction(
    library: Library, open_session: OpenSession
) -> None:
    async with open_session(library.url) as session:
        await nearest.prepare_index_scan(session, 100)
        assert await session.scalar(text("SHOW hnsw.iterative_scan")) == "relaxed_order"
        await session.rollback()
        assert await session.scalar(text("SHOW hnsw.iterative_scan")) != "relaxed_order"


async def test_a_chunk_of_another_model_is_not_compared(library: Library, open_session: OpenSession) -> None:
    async with open_session(library.url) as session:
        query = Query(vector=Vector(values(1)), model="another")
        hits = await search(session, query, limit=100)
    assert len(hits) == 60
    assert {(hit.module_slug, hit.chapter_slug) for hit in hits} == {("tables", "locks")}


async def test_psycopg_finds_the_same(library: Library, open_session: OpenSession) -> None:
    async with open_session(library.url) as session:
        by_asyncpg = await ask(session, FAR, EVERYWHERE)
    async with open_session(library.url.replace("postgresql:", "postgresql+psycopg:")) as session:
        assert await ask(session, FAR, EVERYWHERE) == by_asyncpg
