"""The nearest chunks are the nearest, as many as were asked for, whatever filter and whichever way they are found."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import psycopg
import pytest
from pgvector import Vector
from sqlalchemy import func, select, true

from src.db.hot_query import HotQuery, Reader
from src.db.queries import nearest
from src.db.queries.nearest import EVERYWHERE, Scope
from src.db.queries.search import Hit, Query, hot_query, search
from tests.db.queries.conftest import OpenReader
from tests.db.queries.library import MODEL, Chunk, add_chapter, add_chunks, add_module, distance, somewhere, values
from tests.servers import Server
from tests.sessions import session

SCOPES = {"everywhere": EVERYWHERE, "a module": Scope("tables"), "a chapter": Scope("tables", "locks")}
COMPARED, LOOKED_UP = 10_000, 10  # how many are few
WAYS = {"compared": COMPARED, "looked up": LOOKED_UP}
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
def few_are(limit: int) -> Iterator[None]:
    """Let so many candidates be few."""
    with patch.object(nearest, "FEW", (limit, limit)):
        yield


async def ask(reader: Reader, vector: Sequence[float], scope: Scope, limit: int = 10) -> Sequence[Hit]:
    query = Query(vector=Vector(values(*vector)), model=MODEL, scope=scope)
    return await search(reader, query, limit=limit)


def place(found: Hit | Chunk) -> tuple[str, str, int | None]:
    if isinstance(found, Chunk):
        return found.module, found.chapter, found.index
    return found.module_slug, found.chapter_slug, found.chunk_index


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
async def test_they_are_the_nearest_in_their_order(
    library: Library, open_reader_of: OpenReader, scope: Scope, way: int
) -> None:
    candidates = library.within(scope)
    found = right = 0
    async with open_reader_of(library.url) as reader:
        with few_are(way):
            for _ in range(20):
                vector = somewhere()
                hits = await ask(reader, vector, scope)
                nearest_first = sorted(candidates, key=lambda chunk: distance(vector, chunk.values))[:10]
                assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
                right += len(set(map(place, hits)) & set(map(place, nearest_first)))
                found += len(hits)
    assert found == 200
    assert right >= (200 if way == COMPARED else 196)


async def test_there_are_as_many_as_asked_for_where_there_are_so_many(
    library: Library, open_reader_of: OpenReader
) -> None:
    """All of a small module, from the other end of the space, with an index that gives up at once."""
    async with open_reader_of(library.url) as reader:
        with few_are(LOOKED_UP), patch.object(nearest, "FARTHEST", 1):
            assert len(await ask(reader, [-value for value in FAR], Scope("far"), limit=30)) == 30
            assert len(await ask(reader, FAR, Scope("far"), limit=31)) == 30


@pytest.mark.prove
async def test_the_nearest_of_a_module_that_is_far_away_are_found(migrated: str, open_reader_of: OpenReader) -> None:
    """With the index alone every seventh was missed: a scan that comes from afar finds the first it meets."""

    def cloud(count: int, at: float) -> list[list[float]]:
        return [
            [*(at + value / 3 if place == 0 else value / 3 for place, value in enumerate(somewhere()))]
            for _ in range(count)
        ]

    with psycopg.connect(migrated, autocommit=True) as connection:
        for module in ("near", "far"):
            add_module(connection, module)
            add_chapter(connection, module, "one")
        add_chunks(connection, "near", "one", cloud(1_500, 3))
        candidates = add_chunks(connection, "far", "one", cloud(700, -3))
        connection.execute("ANALYZE")
    right = 0
    async with open_reader_of(migrated) as reader:
        with few_are(LOOKED_UP):
            for vector in cloud(20, 3):
                nearest_first = sorted(candidates, key=lambda chunk: distance(vector, chunk.values))[:10]
                hits = await ask(reader, vector, Scope("far"))
                right += len(set(map(place, hits)) & set(map(place, nearest_first)))
    assert right >= 196


async def test_few_candidates_are_compared_and_many_looked_up(library: Library) -> None:
    assert await executed(library, Scope("tables")) == {"compared"}
    assert await executed(library, EVERYWHERE) == {"by_index"}
    assert await executed(library, Scope("tables"), few=100) == {"by_index"}
    assert await executed(library, Scope("tables", "locks"), few=100) == {"compared"}
    assert await executed(library, EVERYWHERE, few=1_000) == {"compared"}


async def test_what_the_index_did_not_find_is_compared_after_all(library: Library) -> None:
    assert await executed(library, Scope("far"), few=1, farthest=1) == {"by_index", "compared"}


async def executed(
    library: Library, scope: Scope, *, model: str = MODEL, few: int = 120, farthest: int = nearest.FARTHEST
) -> set[str]:
    """Which of the two ways ran, by the plan of the statement itself."""
    query = hot_query(by_text=False, by_vector=True, scope=scope.shape, depth=11)
    given = {
        "vector": Vector(values(*(-value for value in FAR))).to_text(),
        "model": model,
        "least": few,
        "most": few,
        "farthest": farthest,
        "limit": 11,
        "offset": 0,
    }
    small = {"enable_seqscan": "off", "enable_sort": "off"}  # the tables are
    async with session(library.url, **small) as connection:
        explain = f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {query.text}"
        plan = [row[0] for row in await connection.fetch(explain, *query.arguments(given | scope.parameters))]
    parts = re.split(r"^  CTE (\w+)$", "\n".join(plan), flags=re.MULTILINE)
    ran = re.compile(r"Scan (using \w+ )?on (pg_)?\w*embeddings(?!.*never executed)")
    return {
        name for name, part in zip(parts[1::2], parts[2::2], strict=True) if ran.search(part.split("\n  ->")[0])
    } - {"candidates"}


async def test_the_settings_of_an_index_scan_end_with_the_statement(
    library: Library, open_reader_of: OpenReader
) -> None:
    setting = HotQuery(select(func.current_setting("hnsw.iterative_scan", true())))
    async with open_reader_of(library.url) as reader:
        with few_are(LOOKED_UP):
            await ask(reader, FAR, EVERYWHERE)
        assert await reader.value(setting) == "off"


async def test_no_plan_is_compiled(library: Library, open_reader_of: OpenReader) -> None:
    async with open_reader_of(library.url) as reader:
        assert await reader.value(HotQuery(select(func.current_setting("jit")))) == "off"


async def test_a_chunk_of_another_model_is_not_compared(library: Library, open_reader_of: OpenReader) -> None:
    async with open_reader_of(library.url) as reader:
        query = Query(vector=Vector(values(1)), model="another")
        hits = await search(reader, query, limit=100)
    assert len(hits) == 60
    assert {(hit.module_slug, hit.chapter_slug) for hit in hits} == {("tables", "locks")}


async def test_the_extension_may_lie_in_any_schema(migrated: str, open_reader_of: OpenReader) -> None:
    with psycopg.connect(migrated) as connection:
        connection.execute('CREATE SCHEMA "Of vectors"; ALTER EXTENSION vector SET SCHEMA "Of vectors"')
        connection.execute('SET search_path = public, "Of vectors"')
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET search_path FROM CURRENT")
        add_module(connection, "tables")
        add_chapter(connection, "tables", "locks")
        add_chunks(connection, "tables", "locks", [FAR])
    async with open_reader_of(migrated) as reader:
        assert len(await ask(reader, FAR, EVERYWHERE)) == 1


async def test_psycopg_finds_the_same(library: Library, open_reader_of: OpenReader) -> None:
    async with open_reader_of(library.url) as reader:
        by_asyncpg = await ask(reader, FAR, EVERYWHERE)
    async with open_reader_of(library.url.replace("postgresql:", "postgresql+psycopg:")) as reader:
        assert await ask(reader, FAR, EVERYWHERE) == by_asyncpg
