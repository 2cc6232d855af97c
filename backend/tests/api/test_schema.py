"""Promise: whatever may be sent is answered, without an error of ours, and as the OpenAPI document says.

Property-based: schemathesis makes requests for every operation out of its schema, sound ones and ones with a flaw.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import psycopg
import pytest
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode, checks, openapi
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from src.db.services.passwords import Passwords
from tests.api.accounts import PASSWORD, QUICK, promote
from tests.api.conftest import MakeApp
from tests.api.walk import IDS, NAMES, SEED

Operation = APIOperation[Any, Any, Any, Any]
CHECKS = [
    checks.not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
]
ORDER = {"get": 0, "delete": 2}
ENDS_THE_SESSION = ("DELETE /api/v1/me", "POST /api/v1/auth/sign-out")
WITHOUT_A_SERVICE = "POST /api/v1/chat/conversations/{conversation}/questions"
"""Answered with 503 as documented, which the check takes for an error of ours."""


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """`app` behind uvicorn in a thread of its own; yields the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def administrator(make_app: MakeApp, migrated: str) -> Iterator[tuple[FastAPI, str, dict[str, str]]]:
    """The application, where it is served, and the headers of an administrator, who owns a little of everything."""
    app = make_app(migrated)
    with serving(app) as address, httpx.Client(base_url=f"{address}/api/v1") as client:
        until_started(client)
        object.__setattr__(app.state.resources, "passwords", Passwords(QUICK))
        account = {"email": "student@example.org", "password": PASSWORD, "name": "Ada"}
        assert client.post("accounts", json=account).status_code == 201
        promote(migrated, "student")
        with psycopg.connect(migrated) as connection:
            connection.execute(SEED.format(**IDS))
        tokens = client.post("auth/token", data={"username": account["email"], "password": PASSWORD}).json()
        yield app, address, {"Authorization": f"Bearer {tokens['access_token']}"}


def until_started(client: httpx.Client) -> None:
    """The listener takes connections before the application has started; they are answered once it has."""
    assert client.get("/me").status_code == 401


@pytest.mark.parametrize("examples", [2, pytest.param(20, marks=[pytest.mark.prove, pytest.mark.timeout(600)])])
def test_whatever_may_be_sent_is_answered_as_documented(
    administrator: tuple[FastAPI, str, dict[str, str]], examples: int
) -> None:
    """`examples` are requests to an operation, of each sort."""
    app, address, headers = administrator
    failures = []
    for operation in operations(app):
        for mode in GenerationMode:
            try:
                try_out(operation, mode, address, headers, examples)
            except FailureGroup as found:
                failures += [f"{operation.label}: {failure}" for failure in found.exceptions]
    assert failures == [], "\n\n".join(failures)


def operations(app: FastAPI) -> list[Operation]:
    """All but one: first what only reads, at the end what takes something away."""
    found = [each.ok() for each in openapi.from_dict(app.openapi()).get_all_operations() if isinstance(each, Ok)]
    assert len(found) > 40
    kept = [operation for operation in found if operation.label != WITHOUT_A_SERVICE]
    return sorted(kept, key=lambda operation: (operation.label in ENDS_THE_SESSION, ORDER.get(operation.method, 1)))


def try_out(operation: Operation, mode: GenerationMode, address: str, headers: dict[str, str], examples: int) -> None:
    sent = {"If-Match": "*"} if mode is GenerationMode.POSITIVE else {}

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=existing(operation, mode)))
    def check(case: Case[Any]) -> None:
        case.call_and_validate(base_url=address, headers=headers | sent, checks=CHECKS)

    with suppress(Unsatisfiable):  # an operation that takes nothing takes nothing wrong either
        check()


def existing(operation: Operation, mode: GenerationMode) -> dict[str, Any] | None:
    """Names of what is there; made up they would lead to 404 nearly always, as the flawed ones shall."""
    if mode is GenerationMode.NEGATIVE:
        return None
    return {each.name: str(NAMES[each.name]) for each in operation.path_parameters}
