"""Promise: every request can be found again: by its id, in the log, in the metrics; and no secret is in any of them."""

import json
import logging
import uuid
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from prometheus_client.parser import text_string_to_metric_families

from src.api.app import create_app
from src.settings import Settings
from tests.api.accounts import API, PASSWORD, register, sign_in, visitor
from tests.api.clients import running
from tests.api.conftest import MakeApp

ORIGIN = "https://learn.example.org"
NOBODY = "profiles/00000000-0000-0000-0000-000000000000"


@pytest.fixture
def production(migrated: str) -> FastAPI:
    """The application as it is deployed."""
    settings = Settings(migrated, migrated, environment="production", secret_key="k" * 48, cors_origins=(ORIGIN,))
    return create_app(settings)


async def samples(client: AsyncClient) -> dict[tuple[str, tuple[str, ...]], float]:
    """The metrics, each by its name and the values of its labels."""
    answer = await client.get("http://syllabus/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_an_answer_has_the_id_of_its_request_or_a_new_one(api: AsyncClient) -> None:
    given = uuid.uuid4().hex
    assert (await api.get("me", headers={"X-Request-ID": given})).headers["x-request-id"] == given
    for odd in ("", "x\ny: z", "a" * 500):
        made = (await api.get("me", headers={"X-Request-ID": odd} if odd.isalnum() else {})).headers["x-request-id"]
        assert uuid.UUID(made)
        assert made != odd


async def test_production_logs_each_request_as_json_without_secrets(
    production: FastAPI, capsys: pytest.CaptureFixture[str]
) -> None:
    async with production.router.lifespan_context(production), visitor(production) as client:
        await register(client, "ada")
        tokens = await sign_in(client, "ada")
        await client.get("me", params={"key": PASSWORD})
        await client.get(NOBODY)
        await client.get("http://syllabus/livez")
        logging.getLogger("anybody").warning("from a library")
    written = capsys.readouterr().err
    for secret in (PASSWORD, tokens["access_token"], tokens["refresh_token"], "ada@example.org"):
        assert secret not in written
    lines = [json.loads(line) for line in written.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [
        ("POST", "/api/v1/accounts", 201),
        ("POST", "/api/v1/auth/token", 200),
        ("GET", "/api/v1/me", 200),
        ("GET", "/api/v1/profiles/{user_id}", 404),
    ]
    assert len({line["request_id"] for line in requests}) == 4
    assert any(line["event"] == "from a library" for line in lines)


async def test_logs_are_as_they_were_once_the_application_has_stopped(production: FastAPI) -> None:
    before = structlog.get_config(), list(logging.getLogger().handlers)
    async with production.router.lifespan_context(production):
        assert logging.getLogger().handlers != before[1]
    assert (structlog.get_config(), logging.getLogger().handlers) == before


async def test_requests_are_counted_by_route_and_not_by_address(api: AsyncClient) -> None:
    for number in range(3):
        await api.get(f"profiles/{uuid.UUID(int=number)}")
    await api.get(f"nowhere/{uuid.uuid4()}")
    found = await samples(api)
    assert found["syllabus_requests_total", ("GET", "/api/v1/profiles/{user_id}", "404")] == 3
    assert found["syllabus_request_seconds_count", ("GET", "/api/v1/profiles/{user_id}")] == 3
    assert found["syllabus_requests_total", ("GET", "(none)", "404")] == 1


async def test_connections_and_the_schema_are_measured(api: AsyncClient, make_app: MakeApp, database: str) -> None:
    await api.get(NOBODY)
    found = await samples(api)
    assert found["syllabus_connections", ("reads", "idle")] == 1
    assert found["syllabus_connections", ("sessions", "in use")] == 0
    assert found["syllabus_schema", ("ready",)] == 1
    assert found["syllabus_schema_revisions_behind", ()] == 0
    async with running(make_app(database)) as client:
        found = await samples(client)
    assert found["syllabus_schema", ("unversioned",)] == 1
    assert found["syllabus_schema_revisions_behind", ()] > 0


async def test_an_unreachable_database_does_not_silence_the_metrics(make_app: MakeApp) -> None:
    async with running(make_app("postgresql://postgres@127.0.0.1:1/nowhere")) as client:
        assert (await samples(client))["syllabus_schema", ("unreachable",)] == 1


async def test_browsers_are_told_to_be_strict(api: AsyncClient, production: FastAPI) -> None:
    for path in ("me", "nowhere", "http://syllabus/livez"):
        headers = (await api.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "strict-transport-security" not in headers
    async with production.router.lifespan_context(production), visitor(production) as client:
        assert "strict-transport-security" in (await client.get("me")).headers


async def preflight(app: FastAPI, origin: str) -> dict[str, Any]:
    headers = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
    async with AsyncClient(transport=ASGITransport(app), base_url=API) as client:
        return dict((await client.options("me", headers=headers)).headers)


async def test_only_configured_origins_may_call_from_a_browser(production: FastAPI, served: FastAPI) -> None:
    assert (await preflight(production, ORIGIN))["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-origin" not in await preflight(production, "https://evil.example.org")
    assert "access-control-allow-origin" not in await preflight(served, ORIGIN)


async def test_methods_that_nobody_knows_are_counted_as_one(api: AsyncClient) -> None:
    for number in range(3):
        assert (await api.request(f"METHOD{number}", "modules")).status_code == 405
    counted = {labels for name, labels in await samples(api) if name == "syllabus_requests_total"}
    assert [labels[0] for labels in counted if labels[2] == "405"] == ["(other)"]


async def test_head_is_answered_as_get_without_the_content_and_counted_for_itself(api: AsyncClient) -> None:
    for path, status in (("modules", 200), ("me", 401), ("accounts", 405), ("http://syllabus/livez", 200)):
        got, head = await api.get(path), await api.head(path)
        assert (got.status_code, head.status_code, head.content) == (status, status, b""), path
        for name in ("content-type", "content-length", "etag", "vary"):
            assert head.headers.get(name) == got.headers.get(name), path
    assert (await samples(api))["syllabus_requests_total", ("HEAD", "/api/v1/modules", "200")] == 1
