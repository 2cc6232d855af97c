"""Promise: on 100,000 rows no statement of the API reads a whole big table or sorts more than a page."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from tests.api.accounts import PASSWORD, promote, register, sign_in, visitor
from tests.api.conftest import MakeApp
from tests.api.plans import BIG, PAGE, Recorder, faults, plans, record
from tests.servers import Server

pytestmark = pytest.mark.anyio

CHAPTER = "modules/m7/chapters/c33"

# SCHEMA.md's queries by number, and the others that many people ask; the 8th, by vectors, is in tests/db/queries
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


PAGES = {"4. a module with my progress": 1000}  # it is one page, of all the chapters that the module has here


@pytest.fixture(scope="module")
def large(server: Server, template: str) -> Iterator[str]:
    """The URL of a database with 100,000 rows in each big table, and none of ada's."""
    if server.version == 16:
        pytest.skip("the plans of one version tell whether there is an index, and the rows take half a minute")
    script = Path(__file__).with_name("large.sql").read_bytes()
    with server.database(template=template) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO users (email, password_hash, name) VALUES ('ada@example.org', '', 'Ada')")
        connection.execute(script)
        connection.execute("VACUUM ANALYZE")
        yield url


@pytest.fixture
async def app(make_app: MakeApp, large: str) -> AsyncIterator[FastAPI]:
    app = make_app(large)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def ada(app: FastAPI, large: str) -> AsyncIterator[AsyncClient]:
    """An administrator who has many rows of each kind."""
    async with visitor(app) as client:
        await register(client, "other")
        with psycopg.connect(large) as connection:  # ada's password becomes one that is known
            taken = "(SELECT password_hash FROM users WHERE email = 'other@example.org')"
            connection.execute(f"UPDATE users SET password_hash = {taken} WHERE email = 'ada@example.org'".encode())
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
        further = await client.get(path, params={"cursor": body["next"]})
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


async def test_the_big_tables_are_big_and_a_bad_plan_is_seen(large: str) -> None:
    with psycopg.connect(large) as connection:
        for table in BIG:
            [[count]] = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()
            assert count >= 100_000, table
    for bad, fault in BAD.items():
        [(_, custom), _] = await plans(large, (bad, ("",)))
        assert fault in set(faults(custom)), bad
