"""Search by words, by meaning, and by both."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import psycopg
import pytest
from pgvector import Vector
from sqlalchemy import Select, text
from sqlalchemy.ext.asyncio import AsyncSession

from src.db.queries.nearest import EVERYWHERE, Scan, Scope
from src.db.queries.search import MARK, UNMARK, Hit, Query, search, statement
from src.db.vector import ready
from tests.db.queries.conftest import OpenSession
from tests.db.queries.library import MODEL, add_chapter, add_chunks, add_module, values
from tests.servers import Server

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def library(server: Server, template: str) -> Iterator[str]:
    """The URL of a database that tests only read: "lock" in many places, and chunks in three directions."""
    with server.database(template=template) as url, psycopg.connect(url, autocommit=True) as connection:
        add_module(connection, "tables")
        add_module(connection, "queries")
        add_module(connection, "secret", is_published=False)
        add_chapter(connection, "tables", "waiting", title="Locks", content="<p>Who waits for a lock?</p>")
        add_chapter(connection, "tables", "index", content="<p>An index needs a <b>weak</b> lock &amp; time.</p>")
        add_chapter(connection, "tables", "draft", title="Locks", is_published=False)
        add_chapter(connection, "queries", "joins", description="No word of it", content="<p>Rows of two tables.</p>")
        add_chapter(connection, "secret", "locks", title="Locks")
        for chapter in ("index", "draft"):
            texts = ["An index is built.", "It holds a lock."]
            add_chunks(connection, "tables", chapter, [[1, 0, 0], [1, 0.2, 0]], contents=texts)
        add_chunks(connection, "queries", "joins", [[1, 0.1, 0], [0, 1, 0], [0, 0, 1]])
        add_chunks(connection, "secret", "locks", [[1, 0, 0]])
        connection.execute("VACUUM ANALYZE")
        yield url


@pytest.fixture
async def session(library: str, open_session: OpenSession) -> AsyncIterator[AsyncSession]:
    async with open_session(library) as session:
        yield session


def places(hits: Sequence[Hit]) -> list[tuple[str, int | None]]:
    return [(hit.chapter_slug, hit.chunk_index) for hit in hits]


async def by_text(session: AsyncSession, words: str, scope: Scope = EVERYWHERE) -> Sequence[Hit]:
    return await search(session, Query(text=words, scope=scope), limit=10)


def query(words: str | None, *vector: float) -> Query:
    return Query(text=words, vector=Vector(values(*vector)), model=MODEL)


async def test_a_word_in_the_title_counts_for_more(session: AsyncSession) -> None:
    assert places(await by_text(session, "locking")) == [("waiting", None), ("index", None)]


async def test_only_published_chapters_of_published_modules_are_found(session: AsyncSession) -> None:
    hits = [*await by_text(session, "locks"), *await search(session, query(None, 1), limit=100)]
    assert {(hit.module_slug, hit.chapter_slug) for hit in hits} == {
        ("tables", "waiting"),
        ("tables", "index"),
        ("queries", "joins"),
    }


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ('"weak lock"', ["index"]),
        ('"lock weak"', []),
        ("lock -index", ["waiting"]),
        ("joins or weak", ["index", "joins"]),
        ("the", []),
        ("", []),
        ("'\"(!:*&|<->", []),
    ],
)
async def test_text_is_read_as_people_write_it(session: AsyncSession, words: str, found: list[str]) -> None:
    assert sorted(hit.chapter_slug for hit in await by_text(session, words)) == found


async def test_text_is_looked_for_in_a_module_or_a_chapter(session: AsyncSession) -> None:
    assert places(await by_text(session, "locks", Scope("tables", "index"))) == [("index", None)]
    assert await by_text(session, "locks", Scope("queries")) == []
    assert await by_text(session, "locks", Scope("queries", "index")) == []


async def test_a_snippet_marks_what_was_found_and_has_no_tag(session: AsyncSession) -> None:
    [first, second] = await by_text(session, "locks")
    assert f"for a {MARK}lock{UNMARK}?" in first.snippet
    assert "<" not in second.snippet
    assert f"weak  {MARK}lock{UNMARK} &amp; time." in second.snippet


async def test_without_text_a_snippet_is_the_chunk(session: AsyncSession) -> None:
    [hit] = await search(session, query(None, 1), limit=1)
    assert hit.snippet == "An index is built."


async def test_by_vector_the_nearest_come_first(session: AsyncSession) -> None:
    hits = await search(session, query(None, 1, 0.05), limit=3)
    assert set(places(hits)[:2]) == {("index", 0), ("joins", 0)}
    assert places(hits)[2] == ("index", 1)


async def test_what_both_find_comes_before_what_one_finds(session: AsyncSession) -> None:
    hits = await search(session, query("lock", 1, 0.08), limit=10)
    # By text: waiting, index. By vector: joins 0, index 0, ... A chapter's text adds to its nearest chunk only.
    assert places(hits)[0] == ("index", 0)
    assert set(places(hits)[1:3]) == {("joins", 0), ("waiting", None)}
    assert places(hits)[3:] == [("index", 1), ("joins", 1), ("joins", 2)]
    assert hits[0].score == pytest.approx(1 / 62 + 1 / 62)
    assert hits[1].score == hits[2].score == pytest.approx(1 / 61)


async def test_a_chunk_found_by_both_shows_its_own_words(session: AsyncSession) -> None:
    [first, *_] = await search(session, query("lock", 1, 0.4), limit=1)
    assert first.snippet == f"It holds a {MARK}lock{UNMARK}."


@pytest.mark.parametrize("asked", [query("lock", 1), query(None, 1), Query(text="lock or join")])
async def test_pages_are_the_whole_in_pieces(session: AsyncSession, asked: Query) -> None:
    whole = places(await search(session, asked, limit=100))
    pieces = [await search(session, asked, limit=2, offset=offset) for offset in range(0, len(whole) + 2, 2)]
    assert [place for piece in pieces for place in places(piece)] == whole


async def test_a_snippet_is_made_of_the_rows_that_are_shown_and_of_no_other(session: AsyncSession) -> None:
    plan = await explain(session, statement(by_text=True, scan=None, scope=EVERYWHERE))
    snippets = [number for number, line in enumerate(plan) if "ts_headline" in line]
    assert snippets
    assert max(snippets) < next(number for number, line in enumerate(plan) if "Limit" in line)


async def test_words_and_vectors_are_looked_up_in_their_indexes(session: AsyncSession) -> None:
    await session.execute(text("SET LOCAL enable_seqscan = off"))  # the tables are small
    await session.execute(text("SET LOCAL enable_sort = off"))
    plan = "\n".join(await explain(session, statement(by_text=False, scan=Scan.INDEX, scope=EVERYWHERE)))
    assert "Index Scan using ix_embeddings_embedding" in plan
    plan = "\n".join(await explain(session, statement(by_text=False, scan=Scan.EXACT, scope=Scope("", ""))))
    assert "uq_embeddings_chapter_id_embedding_model_chunk_index" in plan
    assert "ix_embeddings_embedding" not in plan
    await session.execute(text("SET LOCAL enable_indexscan = off"))
    plan = "\n".join(await explain(session, statement(by_text=True, scan=None, scope=EVERYWHERE)))
    assert "Bitmap Index Scan on ix_chapters_search_document" in plan


async def explain(session: AsyncSession, statement: Select[*tuple[Any, ...]]) -> list[str]:
    """The lines of the plan."""
    await ready(session)
    connection = await session.connection()
    compiled = statement.compile(dialect=connection.dialect)
    asked = {"text": "lock", "vector": Vector(values(1)), "model": MODEL, "module": "tables", "chapter": "index"}
    given = compiled.construct_params({**asked, "depth": 10, "limit": 5, "offset": 0})
    parameters = tuple(given[name] for name in compiled.positiontup or ())
    rows = await connection.exec_driver_sql(f"EXPLAIN (VERBOSE, COSTS OFF) {compiled}", parameters)
    return list(rows.scalars())
