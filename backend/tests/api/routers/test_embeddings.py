"""Promise: administrators replace a chapter's chunks at once, thousands of them, and twice is as good as once."""

import base64
from array import array
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from tests.db.queries.library import add_chapter, add_module, somewhere, values

LOCKS = "modules/tables/chapters/locks/embeddings"


@pytest.fixture
async def administrator(administrator: AsyncClient, migrated: str) -> AsyncClient:
    """An administrator of a course of one chapter."""
    with psycopg.connect(migrated) as connection:
        add_module(connection, "tables")
        add_chapter(connection, "tables", "locks")
    return administrator


def chunk(content: str, *vector: float) -> dict[str, Any]:
    return {"content": content, "embedding": values(*vector)}


@pytest.mark.prove
async def test_thousands_are_replaced_at_once_and_found(administrator: AsyncClient) -> None:
    vectors = [values(*somewhere()) for _ in range(2_000)]
    encoded = [base64.b64encode(array("f", vector).tobytes()).decode() for vector in vectors]
    chunks = [{"content": f"chunk {index}", "embedding": vector} for index, vector in enumerate(encoded)]
    for expected in ((0, 2_000, 0), (2_000, 0, 0)):
        answered = await administrator.put(LOCKS, json={"chunks": chunks}, timeout=60)
        assert answered.status_code == 200, answered.text
        assert tuple(answered.json().values()) == expected
    found = await administrator.post("search", json={"vector": encoded[1_234], "limit": 1})
    assert found.json()["items"][0]["chunk_index"] == 1_234


async def test_what_cannot_be_stored_is_refused_and_changes_nothing(administrator: AsyncClient) -> None:
    await administrator.put(LOCKS, json={"chunks": [chunk("one", 1)]})
    for refused in (
        [chunk("", 1)],
        [chunk("a\x00b", 1)],
        [chunk("zero", 0)],
        [{"content": "short", "embedding": [1.0]}],
        [{"content": "none"}],
        [{"content": "x", "embedding": "AAAA"}] * 5_001,
    ):
        answered = await administrator.put(LOCKS, json={"chunks": refused}, timeout=60)
        assert answered.status_code == 422, refused[0]
    assert (await administrator.put(LOCKS, json={"chunks": [chunk("one", 1)]})).json()["unchanged"] == 1


async def test_what_is_wrong_is_said_of_each_chunk_and_nothing_of_the_others(administrator: AsyncClient) -> None:
    chunks = [chunk("one", 1), chunk("", 1), chunk("three", 1), {"content": "four"}, 5]
    refused = await administrator.put(LOCKS, json={"chunks": chunks, "modell": "m"})
    assert [error["location"] for error in refused.json()["errors"]] == [
        ["body", "chunks", 1, "content"],
        ["body", "chunks", 3, "embedding"],
        ["body", "chunks", 4],
        ["body", "modell"],
    ]
    for body in (b'{"chunks": [', b"[]", b"{}"):
        answered = await administrator.put(LOCKS, content=body, headers={"Content-Type": "application/json"})
        assert answered.status_code == 422, body


async def test_an_extension_that_is_rebuilt_is_found_again(administrator: AsyncClient, migrated: str) -> None:
    """As by a downgrade and an upgrade under a running API: its type has another OID then, under the same name."""
    one, vector = {"chunks": [chunk("one", 1)]}, values(1)
    for limit in (1, 1, 50):  # the last is a statement that nothing was prepared for before
        assert (await administrator.put(LOCKS, json=one)).json()["written"] == 1
        found = await administrator.post("search", json={"vector": vector, "limit": limit})
        assert found.status_code == 200, found.text
        assert len(found.json()["items"]) == 1
        with psycopg.connect(migrated) as connection:
            connection.execute("DELETE FROM embeddings; DROP EXTENSION vector CASCADE; CREATE EXTENSION vector")
            connection.execute("ALTER TABLE embeddings ADD embedding vector(1536) NOT NULL")


async def test_a_chapter_that_is_not_there_has_no_chunks(administrator: AsyncClient) -> None:
    answered = await administrator.put("modules/tables/chapters/nowhere/embeddings", json={"chunks": []})
    assert answered.status_code == 404


async def test_only_administrators_may(served: FastAPI, api: AsyncClient, student: AsyncClient) -> None:
    assert (await api.put(LOCKS, json={"chunks": []})).status_code == 401
    assert (await student.put(LOCKS, json={"chunks": []})).status_code == 403


async def test_nobody_else_has_so_large_a_body_read(served: FastAPI, api: AsyncClient, student: AsyncClient) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield pytest.fail("it was read")

    for client, status in ((api, 401), (student, 403)):
        headers = {"Content-Type": "application/json", "Content-Length": "150000000"}
        assert (await client.put(LOCKS, content=body(), headers=headers)).status_code == status
