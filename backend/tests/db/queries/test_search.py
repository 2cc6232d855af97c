"""Search by words, by meaning, and by both."""

from collections.abc import AsyncIterator, Iterator, Sequence

import psycopg
import pytest
from pgvector import Vector

from src.db.hot_query import HotQuery, Reader
from src.db.queries.nearest import EVERYWHERE, Scope
from src.db.queries.search import MARK, UNMARK, Hit, Query, hot_query, search
from tests.db.queries.conftest import OpenReader
from tests.db.queries.library import MODEL, add_chapter, add_chunks, add_module, values
from tests.servers import Server
from tests.sessions import session


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
async def reader(library: str, open_reader_of: OpenReader) -> AsyncIterator[Reader]:
    async with open_reader_of(library) as reader:
        yield reader


def places(hits: Sequence[Hit]) -> list[tuple[str, int | None]]:
    return [(hit.chapter_slug, hit.chunk_index) for hit in hits]


async def by_text(reader: Reader, words: str, scope: Scope = EVERYWHERE) -> Sequence[Hit]:
    return await search(reader, Query(text=words, scope=scope), limit=10)


def query(words: str | None, *vector: float) -> Query:
    return Query(text=words, vector=Vector(values(*vector)), model=MODEL)


async def test_a_word_in_the_title_counts_for_more(reader: Reader) -> None:
    assert places(await by_text(reader, "locking")) == [("waiting", None), ("index", None)]


async def test_only_published_chapters_of_published_modules_are_found(reader: Reader) -> None:
    hits = [*await by_text(reader, "locks"), *await search(reader, query(None, 1), limit=100)]
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
async def test_text_is_read_as_people_write_it(reader: Reader, words: str, found: list[str]) -> None:
    assert sorted(hit.chapter_slug for hit in await by_text(reader, words)) == found


async def test_text_is_looked_for_in_a_module_or_a_chapter(reader: Reader) -> None:
    assert places(await by_text(reader, "locks", Scope("tables", "index"))) == [("index", None)]
    assert await by_text(reader, "locks", Scope("queries")) == []
    assert await by_text(reader, "locks", Scope("queries", "index")) == []


async def test_a_snippet_marks_what_was_found_and_has_no_tag(reader: Reader) -> None:
    [first, second] = await by_text(reader, "locks")
    assert f"for a {MARK}lock{UNMARK}?" in first.snippet
    assert "<" not in second.snippet
    assert f"weak  {MARK}lock{UNMARK} &amp; time." in second.snippet


async def test_without_text_a_snippet_is_the_chunk(reader: Reader) -> None:
    [hit] = await search(reader, query(None, 1), limit=1)
    assert hit.snippet == "An index is built."


async def test_by_vector_the_nearest_come_first(reader: Reader) -> None:
    hits = await search(reader, query(None, 1, 0.05), limit=3)
    assert set(places(hits)[:2]) == {("index", 0), ("joins", 0)}
    assert places(hits)[2] == ("index", 1)


async def test_what_both_find_comes_before_what_one_finds(reader: Reader) -> None:
    hits = await search(reader, query("lock", 1, 0.08), limit=10)
    # By text: waiting, index. By vector: joins 0, index 0, ... A chapter's text adds to its nearest chunk only.
    assert places(hits)[0] == ("index", 0)
    assert set(places(hits)[1:3]) == {("joins", 0), ("waiting", None)}
    assert places(hits)[3:] == [("index", 1), ("joins", 1), ("joins", 2)]
    assert hits[0].score == pytest.approx(1 / 62 + 1 / 62)
    assert hits[1].score == hits[2].score == pytest.approx(1 / 61)


async def test_a_chunk_found_by_both_shows_its_own_words(reader: Reader) -> None:
    [first, *_] = await search(reader, query("lock", 1, 0.4), limit=1)
    assert first.snippet == f"It holds a {MARK}lock{UNMARK}."


@pytest.mark.parametrize("asked", [query("lock", 1), query(None, 1), Query(text="lock or join")])
async def test_pages_are_the_whole_in_pieces(reader: Reader, asked: Query) -> None:
    whole = places(await search(reader, asked, limit=100))
    pieces = [await search(reader, asked, limit=2, offset=offset) for offset in range(0, len(whole) + 2, 2)]
    assert [place for piece in pieces for place in places(piece)] == whole


async def test_a_snippet_is_made_of_the_rows_that_are_shown_and_of_no_other(library: str) -> None:
    plan = await explain(library, hot_query(by_text=True, by_vector=False, scope=EVERYWHERE, depth=11))
    snippets = [number for number, line in enumerate(plan) if "ts_headline" in line]
    assert snippets
    assert max(snippets) < next(number for number, line in enumerate(plan) if "Limit" in line)


async def test_words_are_looked_up_in_their_index(library: str) -> None:
    small = {"enable_seqscan": "off", "enable_indexscan": "off"}  # the tables are
    plan = await explain(library, hot_query(by_text=True, by_vector=False, scope=EVERYWHERE, depth=11), **small)
    assert any("Bitmap Index Scan on ix_chapters_search_document" in line for line in plan)


async def explain(url: str, query: HotQuery, **settings: str) -> list[str]:
    """The lines of the plan."""
    arguments = query.arguments({"text": "lock", "headline": "", "limit": 5, "offset": 0})
    async with session(url, **settings) as connection:
        return [row[0] for row in await connection.fetch(f"EXPLAIN (VERBOSE, COSTS OFF) {query.text}", *arguments)]
