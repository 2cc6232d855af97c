"""Promise: whatever goes wrong is answered as a problem of RFC 9457, and what was sent does not come back in it."""

import json
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import text

from src.api.app import create_app
from src.api.dependencies.sessions import Session
from src.api.http.routing import LARGEST_BODY
from src.settings import Settings
from tests.api.accounts import API
from tests.api.clients import running
from tests.api.conftest import MakeApp

SECRET = "hunter2-hunter2"
SURROGATE = json.dumps({"email": "a@example.org", "password": f"{SECRET}\ud800", "name": "Ada"}).encode()


def problem(answer: Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    members: dict[str, Any] = answer.json()
    assert members["status"] == answer.status_code
    assert members["type"] == "about:blank"
    assert members["title"]
    assert members["detail"].endswith((".", "?"))
    return members


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "nowhere", {}, 404),
        ("GET", "profiles/1", {}, 422),
        ("DELETE", "accounts", {}, 405),
        ("GET", "modules/", {}, 404),
        ("GET", "me", {}, 401),
        ("GET", "me", {"headers": {"Authorization": "Bearer x"}}, 401),
        ("POST", "accounts", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 422),
        ("POST", "accounts", {"content": b"\xff", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "accounts", {"json": {"email": "x", "password": SECRET}}, 422),
        ("POST", "accounts", {"json": {"email": "a@example.org", "password": SECRET, "name": "\0"}}, 422),
        ("POST", "accounts", {"content": SURROGATE, "headers": {"Content-Type": "application/json"}}, 422),
        ("POST", "auth/token", {"data": {"password": SECRET}}, 422),
        ("POST", "accounts", {"content": b"x" * (LARGEST_BODY + 1)}, 413),
    ],
)
async def test_a_request_that_is_refused(
    api: AsyncClient, method: str, path: str, sent: dict[str, Any], status: int
) -> None:
    answer = await api.request(method, path, **sent)
    assert answer.status_code == status
    assert SECRET not in json.dumps(problem(answer))


async def test_where_a_request_is_wrong_is_said(api: AsyncClient) -> None:
    answer = await api.post("accounts", json={"email": "x", "password": SECRET, "name": "Ada"})
    [error] = problem(answer)["errors"]
    assert error["location"] == ["body", "email"]
    assert "@" in error["message"]


async def test_a_405_says_what_is_allowed(api: AsyncClient) -> None:
    assert (await api.delete("accounts")).headers["allow"] == "POST"


async def test_an_error_of_ours_is_a_500_without_its_words(make_app: MakeApp, migrated: str) -> None:
    app = make_app(migrated)

    @app.get("/broken")
    async def broken(session: Session) -> None:
        await session.execute(text("SELECT :secret FROM nowhere"), {"secret": SECRET})

    async with running(app) as client:
        answer = await client.get("/broken")
    assert answer.status_code == 500
    assert "nowhere" not in answer.text
    assert SECRET not in answer.text
    assert problem(answer)["detail"]
    assert answer.headers["x-request-id"]


async def test_a_database_that_does_not_answer_is_a_503(make_app: MakeApp) -> None:
    app = make_app("postgresql://postgres@127.0.0.1:1/nowhere")
    async with app.router.lifespan_context(app), AsyncClient(transport=ASGITransport(app), base_url=API) as client:
        for answer in (
            await client.get("profiles/00000000-0000-0000-0000-000000000000"),
            await client.post("accounts", json={"email": "a@example.org", "password": SECRET, "name": "Ada"}),
        ):
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "1"
            assert "127.0.0.1" not in json.dumps(problem(answer))


async def test_a_session_that_the_server_ends_costs_a_read_nothing(api: AsyncClient, migrated: str) -> None:
    address = "profiles/00000000-0000-0000-0000-000000000000"
    assert (await api.get(address)).status_code == 404
    with psycopg.connect(migrated, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert (await api.get(address)).status_code == 404


@pytest.mark.parametrize(
    ("key", "environment", "complaint"),
    [
        ("", "production", "SECRET_KEY is not set"),
        ("", "produktion", "SECRET_KEY is not set"),
        ("too short", "development", "shorter than 32"),
    ],
)
async def test_it_does_not_start_without_a_key_to_sign_with(
    migrated: str, key: str, environment: str, complaint: str
) -> None:
    app: FastAPI = create_app(Settings(migrated, migrated, environment=environment, secret_key=key))
    sent = list[dict[str, Any]]()

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(Exception, match=complaint):
        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
    assert sent[-1]["type"] == "lifespan.startup.failed"
    assert complaint in sent[-1]["message"]
    assert "Traceback" not in sent[-1]["message"]
