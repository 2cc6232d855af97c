"""Promise: a question is answered from the course, piece by piece, and kept with its answer and sources."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from httpx_sse import aconnect_sse

from src.api.app import create_app
from src.settings import Settings
from tests.api.accounts import register, sign_in, signed_in, started
from tests.api.network import Proxy, listening, through
from tests.api.serving import over_http
from tests.db.queries.library import add_chapter, add_chunks, add_module
from tests.inference.service import WORDS, OpenAIService, answer, openai_service, tell, vector_of
from tests.sessions import until

CHUNK = "A lock is waited for."
QUESTION = {"query": "Who waits for a lock?"}
SOURCES = [
    {"module": "tables", "chapter": "locks", "chunk_index": 0},
    {"module": "tables", "chapter": "waiting", "chunk_index": None},
]
Told = list[tuple[str, Any]]


@pytest.fixture
async def service() -> AsyncIterator[OpenAIService]:
    async with openai_service() as running:
        yield running


@pytest.fixture
def settings(service: OpenAIService, migrated: str) -> Settings:
    """With both services, on a course of two chapters, one of which has a chunk."""
    with psycopg.connect(migrated) as connection:
        add_module(connection, "tables")
        add_chapter(connection, "tables", "locks")
        add_chunks(connection, "tables", "locks", [vector_of(CHUNK)], contents=[CHUNK])
        add_chapter(connection, "tables", "waiting", title="Waiting", content="<p>Queues &amp; patience</p>")
        add_chapter(connection, "tables", "draft", content="lock", is_published=False)
    chat = service.endpoint("a-model")
    return Settings(migrated, migrated, embeddings=service.endpoint(), chat=chat, questions_per_minute="3")


@pytest.fixture
async def served(settings: Settings) -> AsyncIterator[FastAPI]:
    app = create_app(settings)
    async with started(app):
        yield app


def path(conversation: UUID) -> str:
    return f"chat/conversations/{conversation}/questions"


async def ask(client: AsyncClient, conversation: UUID, **question: Any) -> Told:
    answered = await client.post(path(conversation), json=QUESTION | question)
    assert answered.status_code == 200, answered.text
    assert answered.headers["content-type"].startswith("text/event-stream")
    events = [
        dict(line.split(": ", 1) for line in event.splitlines()) for event in answered.text.split("\n\n") if event
    ]
    return [(event["event"], json.loads(event["data"])) for event in events]


async def kept(client: AsyncClient, conversation: UUID) -> list[dict[str, Any]]:
    found = await client.get(f"chat/conversations/{conversation}/messages")
    items: list[dict[str, Any]] = found.json()["items"] if found.status_code == 200 else []
    return items


async def test_sources_come_first_then_pieces_then_the_message_as_it_is_kept(student: AsyncClient) -> None:
    conversation = uuid4()
    told = await ask(student, conversation, module="tables", chapter="locks")
    assert told[0] == ("sources", SOURCES[:1])
    assert told[1:-1] == [("delta", {"text": word}) for word in WORDS]
    [message] = await kept(student, conversation)
    assert told[-1] == ("done", message)
    assert (message["query"], message["response"]) == (QUESTION["query"], "".join(WORDS))
    assert (message["sources"], message["context_module_slug"]) == (SOURCES[:1], "tables")


async def test_the_service_gets_the_passages_and_what_was_said_before(
    student: AsyncClient, service: OpenAIService
) -> None:
    conversation = uuid4()
    told = await ask(student, conversation)
    assert told[0] == ("sources", SOURCES)
    await ask(student, conversation, query="And then?")
    messages = service.requests[-1].body["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert [message["content"] for message in messages[1:]] == [QUESTION["query"], "".join(WORDS), "And then?"]
    first = service.requests[1].body["messages"][0]["content"]
    assert f"[Tables / Locks]\n{CHUNK}" in first
    assert "Queues & patience" in first
    assert "draft" not in first.lower()


async def test_a_failing_embedding_service_leaves_the_words(student: AsyncClient, service: OpenAIService) -> None:
    service.embeddings = answer("no", status=500)
    told = await ask(student, uuid4(), query="Waiting?")
    assert told[0] == ("sources", SOURCES[1:])
    assert told[-1][0] == "done"


async def test_a_piece_arrives_before_the_next_is_said(
    served: FastAPI, student: AsyncClient, service: OpenAIService
) -> None:
    heard = asyncio.Event()
    service.chat = tell(*WORDS, then=heard.wait)
    async with (
        over_http(served, student) as client,
        aconnect_sse(client, "POST", path(uuid4()), json=QUESTION) as stream,
    ):
        events = stream.aiter_sse()
        assert [(await anext(events)).event for _ in range(2)] == ["sources", "delta"]
        heard.set()
        assert [event.event async for event in events][-1] == "done"


async def test_who_goes_away_finds_the_whole_answer_later(
    served: FastAPI, student: AsyncClient, service: OpenAIService
) -> None:
    conversation, gone = uuid4(), asyncio.Event()
    service.chat = tell(*WORDS, then=gone.wait)
    async with over_http(served, student) as client:
        async with aconnect_sse(client, "POST", path(conversation), json=QUESTION) as stream:
            events = stream.aiter_sse()
            assert [(await anext(events)).event for _ in range(2)] == ["sources", "delta"]
        gone.set()
        [message] = await until(lambda: kept(student, conversation))
    assert message["response"] == "".join(WORDS)
    assert message["sources"] == SOURCES


async def test_what_had_come_is_kept_where_the_service_breaks_off(student: AsyncClient, service: OpenAIService) -> None:
    conversation = uuid4()
    service.chat = tell("Half an", end="")
    name, problem = (await ask(student, conversation))[-1]
    assert (name, problem["status"]) == ("error", 502)
    assert problem["detail"] == "The chat service broke off in the middle of its answer. What had come is kept."
    assert [message["response"] for message in await kept(student, conversation)] == ["Half an"]


async def test_nothing_is_kept_where_nothing_came(student: AsyncClient, service: OpenAIService) -> None:
    conversation = uuid4()
    for chat, reason in (
        (answer("no", status=500), "The chat service answered 500."),
        (answer("nonsense"), "The chat service answered something else than a stream of words."),
        (tell(), "The chat service said nothing."),
    ):
        service.chat = chat
        name, problem = (await ask(student, conversation))[-1]
        assert (name, problem["detail"]) == ("error", f"{reason} Nothing is kept; ask again.")
    assert await kept(student, conversation) == []


async def test_who_listens_is_told_that_an_answer_cannot_be_kept(
    served: FastAPI, student: AsyncClient, service: OpenAIService, caplog: pytest.LogCaptureFixture
) -> None:
    """Here because the account is gone; it might be the database."""

    async def leave() -> None:
        assert (await student.delete("me")).status_code == 204

    for end in ("data: [DONE]\n\n", ""):
        service.chat = tell(*WORDS, then=leave, end=end)
        name, problem = (await ask(student, uuid4()))[-1]
        assert (name, problem["status"]) == ("error", 502)
        assert problem["detail"] == "The answer cannot be kept at the moment. Nothing is kept; ask again."
        await register(student, "student")
        await sign_in(student, "student")
    assert WORDS[0] not in caplog.text


async def test_a_database_that_refuses_everybody_is_told_too(settings: Settings, service: OpenAIService) -> None:
    proxy = Proxy(settings.database_url)
    async with listening(proxy) as port:
        app = create_app(replace(settings, database_url=through(port, settings.database_url)))
        async with started(app), signed_in(app, "student") as student:
            service.chat = tell(*WORDS, then=proxy.leave)
            name, problem = (await ask(student, uuid4()))[-1]
    assert (name, problem["detail"]) == (
        "error",
        "The answer cannot be kept at the moment. Nothing is kept; ask again.",
    )


async def test_a_chapter_that_is_deleted_meanwhile_takes_no_answer_with_it(
    settings: Settings, student: AsyncClient, service: OpenAIService
) -> None:
    async def delete() -> None:
        with psycopg.connect(settings.database_url) as connection:
            connection.execute("DELETE FROM chapters WHERE slug = 'locks'")

    conversation = uuid4()
    service.chat = tell(*WORDS, then=delete)
    told = await ask(student, conversation, module="tables", chapter="locks")
    assert told[-1][0] == "done"
    assert [message["response"] for message in await kept(student, conversation)] == ["".join(WORDS)]


async def test_a_conversation_that_is_deleted_meanwhile_stays_deleted(
    student: AsyncClient, service: OpenAIService
) -> None:
    conversation = uuid4()

    async def delete() -> None:
        assert (await student.delete(f"chat/conversations/{conversation}")).status_code == 204

    await ask(student, conversation)
    service.chat = tell(*WORDS, then=delete)
    name, problem = (await ask(student, conversation))[-1]
    assert (name, problem["detail"]) == ("error", "The conversation was deleted meanwhile. Nothing is kept; ask again.")
    assert await kept(student, conversation) == []


async def test_what_had_come_is_kept_when_the_application_stops(settings: Settings, service: OpenAIService) -> None:
    conversation = uuid4()
    service.chat = tell("Half", then=asyncio.Event().wait)
    app = create_app(settings)
    async with (
        started(app),
        signed_in(app, "student") as student,
        over_http(app, student) as client,
        aconnect_sse(client, "POST", path(conversation), json=QUESTION) as stream,
    ):
        events = stream.aiter_sse()
        assert [(await anext(events)).event for _ in range(2)] == ["sources", "delta"]
    with psycopg.connect(settings.database_url) as connection:
        rows = connection.execute("SELECT response FROM chat_messages").fetchall()
    assert rows == [("Half",)]


async def test_what_cannot_be_asked_is_refused_before_anything_is_sent(
    api: AsyncClient, student: AsyncClient, service: OpenAIService
) -> None:
    assert (await api.post(path(uuid4()), json=QUESTION)).status_code == 401
    for wrong, status in (
        ({"query": ""}, 422),
        ({"query": "x" * 4_001}, 422),
        ({"query": "\x00"}, 422),
        ({"chapter": "locks"}, 422),
        ({"module": "tables", "chapter": "draft"}, 404),
    ):
        assert (await student.post(path(uuid4()), json=QUESTION | wrong)).status_code == status
    assert [request.path for request in service.requests if "chat" in request.path] == []


async def test_without_a_service_nobody_can_ask(settings: Settings) -> None:
    app = create_app(replace(settings, chat=None))
    async with started(app), signed_in(app, "student") as student:
        refused = await student.post(path(uuid4()), json=QUESTION)
    assert refused.status_code == 503
    assert "No chat service is configured" in refused.json()["detail"]


async def test_nobody_asks_without_end(student: AsyncClient, other_student: AsyncClient) -> None:
    answers = [await student.post(path(uuid4()), json=QUESTION) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert (await other_student.post(path(uuid4()), json=QUESTION)).status_code == 200
