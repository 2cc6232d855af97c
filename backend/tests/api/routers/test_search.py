"""Promise: who searches finds passages, by words always, and by meaning where a service makes the vectors."""

import base64
import re
from array import array
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from src.api.app import create_app
from src.settings import Settings
from tests.api.accounts import started
from tests.db.queries.library import add_chapter, add_chunks, add_module, values
from tests.inference.service import OpenAIService, answer, never, openai_service, vector_of

BUILD = "How an index is built"


@pytest.fixture
async def service() -> AsyncIterator[OpenAIService]:
    async with openai_service() as running:
        yield running


@pytest.fixture
async def served(service: OpenAIService, migrated: str) -> AsyncIterator[FastAPI]:
    """The application with an embedding service, on a course of two modules."""
    with psycopg.connect(migrated) as connection:
        add_module(connection, "tables")
        add_module(connection, "empty")
        add_module(connection, "secret", is_published=False)
        content = "<p>Lock <script>alert(1)</script> &lt;b&gt; here</p>"
        add_chapter(connection, "tables", "locks", content=content, description="a <i>lock</i>")
        add_chapter(connection, "tables", "index", description="Bricks & mortar")
        add_chapter(connection, "tables", "draft", content="lock", is_published=False)
        add_chapter(connection, "secret", "locks", content="lock")
        chunks = [BUILD, "What <u>else</u> it needs"]
        add_chunks(connection, "tables", "index", [vector_of(chunk) for chunk in chunks], contents=chunks)
    app = create_app(Settings(migrated, migrated, embeddings=service.endpoint(), searches_per_minute="3"))
    async with started(app):
        yield app


async def found(client: AsyncClient, **asked: Any) -> dict[str, Any]:
    answered = await client.post("search", json=asked)
    assert answered.status_code == 200, answered.text
    page: dict[str, Any] = answered.json()
    return page


def chapters(page: dict[str, Any]) -> list[str]:
    return [hit["chapter"]["slug"] for hit in page["items"]]


async def test_words_need_no_account_and_no_service(api: AsyncClient, service: OpenAIService) -> None:
    page = await found(api, text="locks")
    assert chapters(page) == ["locks"]
    assert (page["by"], page["notice"], page["next"]) == (["text"], None, None)
    assert page["items"][0]["module"] == {"slug": "tables", "title": "Tables"}
    assert service.requests == []


async def test_a_snippet_has_no_tag_but_the_mark(api: AsyncClient) -> None:
    [hit] = (await found(api, text="lock"))["items"]
    assert hit["snippet"] == "a <mark>lock</mark> <mark>Lock</mark> alert(1) &lt;b&gt; here"
    by_vector = await found(api, vector=vector_of("What u else u it needs"), limit=1)
    assert by_vector["items"][0]["snippet"] == "What &lt;u&gt;else&lt;/u&gt; it needs"


async def test_who_has_signed_in_searches_by_meaning_too(student: AsyncClient, service: OpenAIService) -> None:
    page = await found(student, text="built index")
    assert page["by"] == ["text", "vector"]
    assert [(hit["chapter"]["slug"], hit["chunk_index"]) for hit in page["items"]] == [("index", 0), ("index", 1)]
    assert service.requests[0].body["input"] == ["built index"]


async def test_the_next_page_asks_nobody_again(
    student: AsyncClient, other_student: AsyncClient, service: OpenAIService
) -> None:
    for client in (student, other_student):
        page = await found(client, text="built index", limit=1)
        assert (await found(client, text="built index", limit=1, cursor=page["next"]))["by"] == ["text", "vector"]
    assert len(service.requests) == 1


async def test_who_searches_without_end_finds_by_words_alone(
    student: AsyncClient, other_student: AsyncClient, service: OpenAIService
) -> None:
    pages = [await found(student, text=f"locks {number}") for number in range(3)]
    assert {page["notice"] for page in pages} == {None}
    page = await found(student, text="locks")
    assert (chapters(page), page["by"]) == (["locks"], ["text"])
    assert re.fullmatch(
        r"Too many searches within a minute; wait \d+ s\. This is what was found by words alone\.", page["notice"]
    )
    assert (await found(student, text="locks 1"))["notice"] is None, "this one is remembered"
    assert (await found(other_student, text="lock"))["by"] == ["text", "vector"]
    assert len(service.requests) == 4


async def test_a_vector_may_come_as_base64(api: AsyncClient) -> None:
    vector = base64.b64encode(array("f", vector_of(BUILD)).tobytes()).decode()
    assert (await found(api, vector=vector)) == (await found(api, vector=vector_of(BUILD)))


async def test_a_service_that_fails_leaves_the_words(student: AsyncClient, service: OpenAIService) -> None:
    for embeddings, patience, notice in (
        (never, 0.05, "The embedding service did not answer within 0.05 s."),
        (answer("no", status=500), 30, "The embedding service answered 500."),
        (answer("nonsense"), 30, "The embedding service answered something else than embeddings."),
    ):
        service.embeddings = embeddings
        with patch("src.api.routers.search.PATIENCE", patience):
            page = await found(student, text="locks")
        assert chapters(page) == ["locks"]
        assert (page["by"], page["notice"]) == (["text"], f"{notice} This is what was found by words alone.")


async def test_pages_follow_each_other(student: AsyncClient) -> None:
    whole = await found(student, text="index or lock")
    first = await found(student, text="index or lock", limit=2)
    second = await found(student, text="index or lock", limit=2, cursor=first["next"])
    assert first["items"] + second["items"] == whole["items"]
    assert (len(first["items"]), second["next"]) == (2, None)


WHERE: list[tuple[dict[str, str], int]] = [
    ({"module": "tables"}, 200),
    ({"module": "tables", "chapter": "index"}, 200),
    ({"module": "empty"}, 200),
    ({"module": "nowhere"}, 404),
    ({"module": "secret"}, 404),
    ({"module": "secret", "chapter": "locks"}, 404),
    ({"module": "tables", "chapter": "draft"}, 404),
    ({"module": "tables", "chapter": "nowhere"}, 404),
]

REFUSED: list[tuple[dict[str, Any], str | None]] = [
    ({}, "give `text`, `vector`, or both"),
    ({"text": ""}, "at least 1 character"),
    ({"text": "x", "wehre": "m"}, "Extra inputs are not permitted"),
    ({"text": "x" * 501}, "at most 500 characters"),
    ({"text": "x", "chapter": "locks"}, "give `module` too"),
    ({"text": "x", "limit": 101}, "less than or equal to 100"),
    ({"vector": [1.0]}, "a vector has 1536 numbers, not 1"),
    ({"vector": values(0)}, "not all zero"),
    ({"vector": ["a"]}, "expected list[float]"),
    ({"vector": [10**400]}, "a number is too large"),
    ({"vector": "????"}, "the base64 of 32-bit floats"),
    ({"vector": {}}, "the base64 of 32-bit floats"),
    ({"text": "x", "cursor": "MTAwMA=="}, None),
    ({"text": "x", "cursor": "LTE="}, None),
    ({"text": "x", "cursor": "x"}, None),
    ({"text": "\x00"}, None),
]


async def test_only_what_is_published_can_be_searched_in(api: AsyncClient) -> None:
    for where, status in WHERE:
        answered = await api.post("search", json={"text": "nothing of it", **where})
        assert answered.status_code == status, where


async def test_what_cannot_be_looked_for_is_refused(api: AsyncClient) -> None:
    for asked, reason in REFUSED:
        refused = await api.post("search", json=asked)
        assert refused.status_code == 422, asked
        assert reason is None or reason in refused.json()["errors"][0]["message"].partition("Value error")[0]


async def test_numbers_that_are_none_are_refused(api: AsyncClient) -> None:
    body = '{"vector": [' + ", ".join(["NaN"] * 1536) + "]}"
    assert (await api.post("search", content=body)).status_code == 422
    body = '{"vector": [' + ", ".join(["1e300"] * 1536) + "]}"
    assert (await api.post("search", content=body)).status_code == 422
