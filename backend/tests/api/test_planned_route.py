"""Promise: a planned route answers exactly as FastAPI itself would, only sooner."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import OAuth2PasswordBearer

from src.api.http.error_handlers import add_error_handlers
from src.api.http.planned_route import LARGEST_BODY, PlannedRoute
from src.api.http.problems import ProblemError
from tests.api.clients import running

calls: list[str] = []
bearer = OAuth2PasswordBearer("token", auto_error=False)


async def who(token: Annotated[str | None, Depends(bearer)], request: Request) -> str:
    calls.append("who")
    if token == "bad":
        raise ProblemError(HTTPStatus.UNAUTHORIZED, f"No {request.url.path} for you.")
    return token or "nobody"


Who = Annotated[str, Depends(who)]


async def limits(person: Who, limit: Annotated[int, Query(ge=1)] = 20, x_many: Annotated[str, Header()] = "-") -> str:
    return f"{limit} {x_many} {person}"


def routes(route_class: type[APIRoute]) -> APIRouter:
    router = APIRouter(route_class=route_class)

    @router.get("/plain/{item}")
    async def plain(item: UUID, limited: Annotated[str, Depends(limits)], person: Who) -> Response:
        return Response(f"{item} {limited} {person}", headers={"X-Calls": str(len(calls))})

    @router.get("/several")
    async def several(
        since: Annotated[float | None, Query(alias="from")] = None,
        tags: Annotated[list[int], Query()] = [],  # noqa: B006  which FastAPI copies
        made: Annotated[str, Query(default_factory=lambda: "made")] = ...,  # type: ignore[assignment]  # FastAPI's own way
        x_required: Annotated[int, Header(validation_alias="x-wanted")] = 0,
    ) -> Response:
        return Response(f"{since} {tags} {made} {x_required}")

    @router.get("/model/{item}")
    async def model(item: int, person: Who) -> dict[str, Any]:
        return {"item": item, "person": person}

    return router


def make_app(route_class: type[APIRoute]) -> FastAPI:
    app = FastAPI()
    add_error_handlers(app)
    app.router.routes.extend(routes(route_class).routes)
    return app


ITEM = UUID(int=7)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"/plain/{ITEM}", {}),
        (f"/plain/{ITEM}?limit=3", {"Authorization": "Bearer ada", "X-Many": "yes"}),
        (f"/plain/{ITEM}?limit=0", {}),
        (f"/plain/{ITEM}?limit=x", {"Authorization": "Bearer bad"}),
        (f"/plain/{ITEM}", {"Authorization": "Bearer bad"}),
        (f"/plain/{ITEM}", {"Authorization": "Basic x"}),
        ("/plain/nonsense", {}),
        ("/plain/nonsense?limit=x", {}),
        ("/plain/nonsense?limit=x", {"Authorization": "Bearer bad"}),
        ("/plain", {}),
        (f"/plain/{ITEM}?limit=3&limit=4", {}),
        (f"/plain/{ITEM}?limit=", {}),
        ("/several", {}),
        ("/several?from=1.5&tags=1&tags=2&made=x", {"X-Wanted": "5"}),
        ("/several?from=x&tags=y&since=2", {"X-Wanted": "z"}),
        ("/model/1", {"Authorization": "Bearer ada"}),
        ("/model/x", {}),
        ("/elsewhere", {}),
    ],
)
async def test_both_answer_alike(path: str, headers: dict[str, str]) -> None:
    answers = []
    for route_class in (APIRoute, PlannedRoute):
        calls.clear()
        async with running(make_app(route_class)) as client:
            answer = await client.get(path, headers=headers)
        answers.append((answer.status_code, answer.headers, answer.text, len(calls)))
    assert answers[0] == answers[1]


async def test_both_are_documented_alike() -> None:
    assert make_app(PlannedRoute).openapi() == make_app(APIRoute).openapi()


async def test_other_methods_are_refused_alike() -> None:
    answers = []
    for route_class in (APIRoute, PlannedRoute):
        async with running(make_app(route_class)) as client:
            answer = await client.post(f"/plain/{ITEM}")
        answers.append((answer.status_code, answer.headers, answer.text))
    assert answers[0] == answers[1]
    assert answers[0][0] == 405


def test_a_route_that_only_reads_has_a_plan_and_another_one_has_none() -> None:
    planned = {route.path: route.app.__module__ for route in routes(PlannedRoute).routes if isinstance(route, APIRoute)}
    assert planned["/plain/{item}"] == PlannedRoute.__module__
    assert planned["/model/{item}"] != PlannedRoute.__module__


async def test_a_body_of_unannounced_length_is_read_no_further_than_the_limit() -> None:
    router, read = APIRouter(route_class=PlannedRoute), 0

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
