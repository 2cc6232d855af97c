"""Promise: at every route everyone gets only what is theirs, and a longer list costs no more statements."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx import AsyncClient
from sqlalchemy import event

from src.db.hot_query import HotQuery, Reader
from tests.api.accounts import promote, sign_in, signed_in, visitor
from tests.api.walk import IDS, NOBODY, PEOPLE, SEED, STEPS, Step

GROWTH = """
INSERT INTO modules (slug, title, description, position, is_published)
    SELECT 'm' || n, 'M', '', n, true FROM generate_series(2, 6) n;
INSERT INTO chapters (module_id, slug, title, description, position, is_published)
    SELECT m.id, 'c' || n, 'C', 'words', n, true FROM modules m, generate_series(2, 6) n;
INSERT INTO translations (chapter_id, language_code, title, description, is_published)
    SELECT id, code, 'C', '', true FROM chapters, unnest('{{fr,it,es}}'::text[]) code;
INSERT INTO chapter_progress (user_id, chapter_id) SELECT u.id, c.id FROM users u, chapters c;
INSERT INTO chat_messages (user_id, conversation_session_id, query, response, context_chapter_id)
    SELECT '{person}', '{conversation}', 'Why?', 'Because.', id FROM chapters;
INSERT INTO chat_messages (user_id, conversation_session_id, query, response)
    SELECT '{person}', gen_random_uuid(), 'Why?', 'Because.' FROM generate_series(1, 6) n;
INSERT INTO capstone_submissions (user_id, title, description)
    SELECT u.id, 'Rover', '' FROM users u, generate_series(1, 6);
"""
MOST = 4
"""Statements a request: who asks, and what he asks for in three at most."""


@pytest.fixture
async def people(served: FastAPI, migrated: str) -> AsyncIterator[dict[str, AsyncClient]]:
    """A client of each sort of person, and a little of everything that belongs to the student."""
    async with AsyncExitStack() as stack:
        clients = {NOBODY: await stack.enter_async_context(visitor(served))}
        for name in PEOPLE[1:]:
            clients[name] = await stack.enter_async_context(signed_in(served, name))
        promote(migrated, "administrator")
        with psycopg.connect(migrated) as connection:
            connection.execute(SEED.format(**IDS))
        await sign_in(clients["student"], "student")  # whose id has just been given another value
        yield clients


def routes(app: FastAPI) -> set[str]:
    found = [route for route in app.routes if isinstance(route, APIRoute)]
    return {f"{method} {route.path}" for route in found for method in route.methods or ()}


async def ask(client: AsyncClient, step: Step) -> int:
    base = "http://syllabus" if step.address.startswith("/") else ""
    return (await client.request(step.method, base + step.address, **step.sent)).status_code


async def test_every_route_is_walked(served: FastAPI) -> None:
    assert routes(served) == {step.route for step in STEPS}


async def test_everyone_gets_at_each_route_what_is_theirs(people: dict[str, AsyncClient]) -> None:
    surprises = []
    for step in STEPS:
        wanted = dict(zip(PEOPLE, step.statuses, strict=True))
        # Who is refused first: the request of who is not may take away what the others ask for.
        for person in sorted(PEOPLE, key=lambda person: wanted[person] < 400):
            status = await ask(people[person], step)
            if status != wanted[person]:
                surprises.append(f"{step.route} as {person}: {status} and not {wanted[person]}")
    assert surprises == []


async def test_no_request_takes_more_statements_the_more_there_is(
    served: FastAPI, people: dict[str, AsyncClient], migrated: str
) -> None:
    reads = [step for step in STEPS if step.method == "GET" or step.route.endswith("/search")]
    counts = Counts(served)
    before = {step.route: await counts.of(people[_reader(step)], step) for step in reads}
    with psycopg.connect(migrated) as connection:
        connection.execute(GROWTH.format(**IDS))
    after = {step.route: await counts.of(people[_reader(step)], step) for step in reads}
    assert before == after
    assert max(before.values()) <= MOST, before
    assert before["GET /api/v1/progress"] == 1, "its token is held against the row that comes with the answer"


def _reader(step: Step) -> str:
    """Somebody who gets an answer: the student, or else an administrator."""
    return "student" if step.statuses[1] == 200 else "administrator"


class Counts:
    """Counts the statements that an application sends."""

    def __init__(self, app: FastAPI) -> None:
        self.sent = 0
        resources = app.state.resources
        event.listen(resources.engine.sync_engine, "before_cursor_execute", self._count)
        app.state.resources = replace(resources, reader=CountingReader(resources.reader, self))

    async def of(self, client: AsyncClient, step: Step) -> int:
        self.sent = 0
        assert await ask(client, step) == 200, step.route
        return self.sent

    def _count(self, *_: Any) -> None:
        self.sent += 1


class CountingReader:
    """A reader whose questions are counted."""

    def __init__(self, reader: Reader, counts: Counts) -> None:
        self._reader = reader
        self._counts = counts

    async def row(self, query: HotQuery, **values: Any) -> Any:
        self._counts.sent += 1
        return await self._reader.row(query, **values)

    async def rows(self, query: HotQuery, **values: Any) -> Any:
        self._counts.sent += 1
        return await self._reader.rows(query, **values)

    async def value(self, query: HotQuery, **values: Any) -> Any:
        self._counts.sent += 1
        return await self._reader.value(query, **values)

    def connections(self) -> tuple[int, int]:
        return self._reader.connections()
