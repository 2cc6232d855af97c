"""How a resource's routes come into the application: with their whole path, in one flat list.

FastAPI's `include_router` keeps routers inside each other and looks through them twice for every request, and its
routes do not know their whole path, by which metrics and logs name them.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from src.api.http.body_limit import limited
from src.api.http.problems import any_problem

PREFIX = "/api/v1"
LARGEST_BODY = 1_000_000
"""Bytes, where a resource does not say otherwise."""

Quick = Callable[[Request], Awaitable[Response | None]]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class LimitedRoute(APIRoute):
    """An APIRoute whose body is limited."""

    largest_body = LARGEST_BODY
    admit: Callable[[Request], Awaitable[object]] | None = None
    """Asked before the body is read: FastAPI asks dependencies only after that. Raises `ProblemError`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._fixed_part = self.path.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As ever, but for most routes one look at how the path begins is enough."""
        if not scope.get("root_path") and not scope["path"].startswith(self._fixed_part):
            return Match.NONE, {}
        return super().matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ever, with a limit to the body."""
        if self.admit is not None:
            await self.admit(Request(scope))
        if self.body_field is not None:
            receive = limited(scope, receive, self.largest_body)
        await super().handle(scope, receive, send)


def hot_route(quick: Quick) -> type[LimitedRoute]:
    """Routes that `quick` may answer first. Where it answers None FastAPI does, which has the words for a mistake."""

    class HotRoute(LimitedRoute):
        async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
            answer = await quick(Request(scope, receive)) if scope["method"] == "GET" else None
            if answer is None:
                await super().handle(scope, receive, send)
            else:
                await answer(scope, receive, send)

    return HotRoute


class Resource(APIRouter):
    """A resource's routes below `/api/v1`; bodies of up to `largest_body` bytes are read, of whoever `admit` lets."""

    def __init__(
        self,
        *,
        tag: str,
        prefix: str = "",
        largest_body: int = LARGEST_BODY,
        admit: Callable[[Request], Awaitable[object]] | None = None,
        route_class: type[LimitedRoute] = LimitedRoute,
    ) -> None:
        self._largest_body = largest_body
        self._admit = admit
        super().__init__(prefix=PREFIX + prefix, tags=[tag], route_class=route_class, responses=any_problem())

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """As ever, with this resource's limits."""
        super().add_api_route(path, endpoint, **options)
        for route in self.routes[-1:]:
            if isinstance(route, LimitedRoute):
                route.largest_body, route.admit = self._largest_body, self._admit

    def hot_get(self, path: str, quick: Quick, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """As `get`, for what is read most: `quick` reads the parameters of a good request by itself.

        FastAPI walks the tree of dependencies on each request and asks of each parameter what its type is, which takes
        longer than a query by primary key. `quick` calls the same endpoint, or answers None for FastAPI to go on.
        """

        def register(endpoint: Endpoint) -> Endpoint:
            self.add_api_route(path, endpoint, methods=["GET"], route_class_override=hot_route(quick), **options)
            return endpoint

        return register


def serve(app: FastAPI, *routers: APIRouter) -> None:
    """Add the routes of `routers` to `app`: those that are asked for most first, because they are tried in order."""
    routes = [route for router in routers for route in router.routes]
    app.router.routes.extend(sorted(routes, key=lambda route: "GET" not in getattr(route, "methods", ())))
