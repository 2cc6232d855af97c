"""Promise: what is read most is answered exactly as FastAPI itself would, only sooner."""

from itertools import product
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from httpx import AsyncClient
from starlette.routing import BaseRoute

from src.api.error_handlers import add_error_handlers
from src.api.http.routing import LARGEST_BODY, LimitedRoute
from src.api.routers import ROUTERS
from tests.api.accounts import visitor
from tests.api.course import add_chapter, add_module, put_translation

HOT = ["modules", "modules/m", "modules/m/chapters/c", "progress", "me"]
PATHS = [
    *HOT,
    "modules/absent",
    "modules/No-slug",
    "modules/m%0A",
    f"modules/{'m' * 101}",
    "modules/m/chapters/absent",
    "modules/m/chapters/No-slug",
    "modules/m/chapters/c?lang=de",
    "modules/m/chapters/c?lang=1",
    "modules/m/chapters/c?lang=de&lang=fr",
    "me?lang=de",
]
HEADERS: list[dict[str, str]] = [
    {},
    {"Accept-Language": "fr, de;q=0.5"},
    {"Accept-Language": "de;q=0, " + "en, " * 400},
    {"If-None-Match": "*"},
    {"Authorization": "Bearer nonsense"},
    {"Authorization": "Basic eDp5"},
    {"Authorization": ""},
]


def is_hot(route: BaseRoute) -> bool:
    return isinstance(route, LimitedRoute) and type(route) is not LimitedRoute and type(route).__name__ == "HotRoute"


def ordinary(route: BaseRoute) -> BaseRoute:
    """The same route as FastAPI answers it."""
    assert isinstance(route, LimitedRoute)
    return LimitedRoute(route.path, route.endpoint, methods=["GET"])


async def _answer(client: AsyncClient, method: str, path: str, headers: dict[str, str]) -> tuple[int, Any, str]:
    answer = await client.request(method, path, headers=headers)
    kept = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, kept, answer.text


def test_the_hot_routes_are_these() -> None:
    hot = [route.path for router in ROUTERS for route in router.routes if is_hot(route) and hasattr(route, "path")]
    assert sorted(hot) == sorted(f"/api/v1/{path}" for path in [
        "modules", "modules/{module}", "modules/{module}/chapters/{chapter}", "progress", "me"
    ])  # fmt: skip


async def test_both_ways_answer_alike(served: FastAPI, administrator: AsyncClient, student: AsyncClient) -> None:
    await add_module(administrator, "m")
    await add_chapter(administrator, "m", "c")
    await put_translation(administrator, "m/chapters/c", "de")
    signed_in = {"Authorization": student.headers["Authorization"]}
    asked = [
        (method, path, headers | token)
        for method, path, headers, token in product(["GET", "HEAD"], PATHS, HEADERS, [{}, signed_in])
    ]
    async with visitor(served) as client:
        hot = [await _answer(client, *each) for each in asked]
        served.router.routes[:] = [ordinary(each) if is_hot(each) else each for each in served.router.routes]
        plain = [await _answer(client, *each) for each in asked]
    for request, quick, slow in zip(asked, hot, plain, strict=True):
        assert quick == slow, request
    assert {status for status, *_ in hot} == {200, 304, 401, 404, 422}


@pytest.mark.parametrize("path", HOT)
async def test_other_methods_are_refused(api: AsyncClient, path: str) -> None:
    assert (await api.request("TRACE", path)).status_code == 405


async def test_a_body_of_unannounced_length_is_read_no_further_than_the_limit() -> None:
    router, read = APIRouter(route_class=LimitedRoute), 0

    @router.post("/body")
    async def take(body: dict[str, Any]) -> int:
        return len(body)

    app = FastAPI()
    add_error_handlers(app)
    app.router.routes.extend(router.routes)
    sent = []

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 100_000
        return {"type": "http.request", "body": b" " * 100_000, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]
    scope = {"type": "http", "method": "POST", "path": "/body", "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    assert sent[0]["status"] == 413
    assert read <= LARGEST_BODY + 100_000
