"""Promise: on 100,000 rows no statement of the API reads a whole big table or sorts more than a page."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from tests.api.accounts import PASSWORD, promote, register, sign_in, signed_in, started, visitor
from tests.api.conftest import MakeApp
from tests.api.plans import BIG, PAGE, Recorder, faults, plans, reached, record
from tests.servers import Server

CHAPTER = "modules/m7/chapters/c33"

VECTOR = {"vector": [1.0] * 500 + [0.0] * 1036}

# SCHEMA.md's queries by number, the 10th below; and the others that many people ask
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("1. sign in", "POST auth/token", {"data": {"username": "ADA@example.org", "password": PASSWORD}}),
    ("2. the published modules", "GET modules", {}),
    ("3. a chapter in a language", f"GET {CHAPTER}?lang=de-AT", {}),
    ("4. a module with my progress", "GET modules/m7", {}),
    ("5. save progress", f"PUT {CHAPTER}/progress", {"json": {"progress_percentage": 50}}),
    ("5. save progress, the first time", "PUT modules/m8/chapters/c1/progress", {"json": {"time_spent_seconds": 5}}),
    ("6. my course", "GET progress", {}),
    ("7. my conversations", "GET chat/conversations", {}),
    ("7. a conversation", "GET chat/conversations/{conversation}/messages?limit=5", {}),
    ("8. the nearest chunks of all", "POST search", {"json": VECTOR}),
    ("8. the nearest chunks in a module", "POST search", {"json": VECTOR | {"module": "m7"}}),
    ("8. the nearest chunks in a chapter", "POST search", {"json": VECTOR | {"module": "m7", "chapter": "c33"}}),
    ("9. the review queue", "GET capstone/queue?limit=100", {}),
    ("9. my submissions", "GET capstone/submissions?limit=100", {}),
    ("my progress in a chapter", f"GET {CHAPTER}/progress", {}),
    ("a chapter's statistics", f"GET {CHAPTER}/statistics", {}),
    ("a chapter's languages", f"GET {CHAPTER}/translations", {}),
    ("search by words", "POST search", {"json": {"text": "word33", "module": "m7"}}),
    ("my profile", "GET me/profile", {}),
    ("me", "GET me", {}),
]


BAD = {
    "SELECT count(*) FROM users WHERE name <> $1::text": "reads all of users",
    "DELETE FROM users WHERE name = $1::text || 'nobody'": "reads all of users",
    "SELECT id FROM chapters WHERE slug = 'c1' || $1::text OR slug = 'c2' ORDER BY title LIMIT 5": "sorts 200 rows",
}


PAGES = {
    "4. a module with my progress": 1000,  # it is one page, of all the chapters that the module has here
    "8. the nearest chunks in a module": 1000,  # each of the few is compared, and none of the others
}
OF_A_PERSON = {"chapter_progress", "chat_messages", "capstone_submissions"}
OF_A_CHAPTER = {"chapter_progress", "translations", "embeddings"}


@pytest.fixture(scope="module", params=[10_000, pytest.param(100_000, marks=pytest.mark.prove)])
def rows(request: pytest.FixtureRequest) -> int:
    """So many each big table has: with a tenth of them the plans are the same, and to make them takes seconds."""
    return int(request.param)


@pytest.fixture(scope="module")
def large(server: Server, template: str, rows: int) -> Iterator[str]:
    """The URL of a database with many rows in each big table, and none of ada's."""
    if server.version == 16:
        pytest.skip("the plans of one version tell whether there is an index, and the rows take half a minute")
    script = Path(__file__).with_name("large.sql").read_bytes()
    with server.database(template=template) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO users (email, password_hash, name) VALUES ('ada@example.org', '', 'Ada')")
        connection.execute(f"SET large.rows = {rows}".encode())
        connection.execute(script)
        connection.execute("VACUUM ANALYZE")
        yield url


@pytest.fixture
async def app(make_app: MakeApp, large: str) -> AsyncIterator[FastAPI]:
    app = make_app(large)
    async with started(app):
        yield app


@pytest.fixture
async def ada(app: FastAPI, large: str) -> AsyncIterator[AsyncClient]:
    """An administrator who has many rows of each kind."""
    async with visitor(app) as client:
        other = await register(client, f"other-{uuid4()}")
        with psycopg.connect(large) as connection:  # ada's password becomes one that is known
            taken = "UPDATE users SET password_hash = other.password_hash FROM users other"
            connection.execute(f"{taken} WHERE users.email = 'ada@example.org' AND other.id = %s".encode(), [other])
        promote(large, "ada")
        await sign_in(client, "ada")
        yield client


async def statements(client: AsyncClient, recorder: Recorder, request: str, sent: dict[str, Any]) -> list[Any]:
    """What a request, and where it answers with pages the one for the second page, sends to the database."""
    method, path = request.split(" ")
    recorder.take()
    answer = await client.request(method, path, **sent)
    assert answer.status_code in (200, 201), answer.text
    body = answer.json()
    if isinstance(body, dict) and body.get("next"):
        following = {"cursor": body["next"]}
        further = await (
            client.get(path, params=following)
            if method == "GET"
            else client.request(method, path, json=sent["json"] | following)
        )
        assert further.status_code == 200, further.text
    return recorder.take()


async def test_no_statement_reads_a_whole_table_or_sorts_more_than_a_page(
    app: FastAPI, ada: AsyncClient, large: str
) -> None:
    recorder, found = record(app), []
    conversations = (await ada.get("chat/conversations")).json()["items"]
    for name, request, sent in REQUESTS:
        request = request.format(conversation=conversations[0]["id"])
        sent_statements = await statements(ada, recorder, request, sent)
        assert sent_statements, f"{name}: nothing was asked"
        for statement in sent_statements:
            for kind, plan in await plans(large, statement):
                page = PAGES.get(name, PAGE)
                found += [f"{name}: the {kind} plan {fault}: {statement[0]}" for fault in faults(plan, page)]
    assert found == []


async def test_what_is_deleted_takes_with_it_what_belongs_to_it_and_reads_no_whole_table(
    app: FastAPI, ada: AsyncClient, large: str
) -> None:
    """The 10th: what the routes send is sent once more, for somebody and a chapter with many rows."""
    recorder = record(app)
    async with signed_in(app, "leaving") as leaving:
        assert (await leaving.delete("me")).status_code == 204
    of_person = _deletion(recorder)
    await ada.post("modules/m9/chapters", json={"slug": "new", "title": "New"})
    assert (await ada.delete("modules/m9/chapters/new", headers={"If-Match": "*"})).status_code == 204
    of_chapter = _deletion(recorder)
    with psycopg.connect(large) as connection:
        [person] = connection.execute("SELECT id FROM users WHERE email = 'ada@example.org'").fetchall()
        find = "SELECT c.id FROM chapters c JOIN modules m ON m.id = module_id WHERE m.slug = 'm7' AND c.slug = 'c33'"
        [chapter] = connection.execute(find.encode()).fetchall()
    for statement, belonging in (((of_person, person), OF_A_PERSON), ((of_chapter, chapter), OF_A_CHAPTER)):
        counts = await reached(large, statement)
        assert {name for name, (scans, _) in counts.items() if scans} == set()
        assert {name for name, (_, removed) in counts.items() if removed} >= belonging
    without = await reached(large, (of_person, person), before="DROP INDEX ix_capstone_submissions_reviewer_id")
    assert without["capstone_submissions"][0] > 0


def _deletion(recorder: Recorder) -> str:
    [deletion] = [text for text, _ in recorder.take() if text.startswith("DELETE")]
    return deletion


async def test_the_big_tables_are_big_and_a_bad_plan_is_seen(large: str, rows: int) -> None:
    with psycopg.connect(large) as connection:
        for table in BIG:
            [[count]] = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()
            assert count >= rows, table
    for bad, fault in BAD.items():
        [(_, custom), _] = await plans(large, (bad, ("",)))
        assert fault in set(faults(custom)), bad
