"""How a resource's routes come into the application: with their whole path, in one flat list.

FastAPI's `include_router` keeps routers inside each other and looks through them twice for every request, and its
routes do not know their whole path, by which metrics and logs name them.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, FastAPI, Request

from src.api.http.planned_route import LARGEST_BODY, PlannedRoute
from src.api.http.problems import any_problem

PREFIX = "/api/v1"


class Resource(APIRouter):
    """A resource's routes below `/api/v1`; bodies of up to `largest_body` bytes are read, of whoever `admit` lets."""

    def __init__(
        self,
        *,
        tag: str,
        prefix: str = "",
        largest_body: int = LARGEST_BODY,
        admit: Callable[[Request], Awaitable[object]] | None = None,
        route_class: type[PlannedRoute] = PlannedRoute,
    ) -> None:
        self._largest_body = largest_body
        self._admit = admit
        super().__init__(prefix=PREFIX + prefix, tags=[tag], route_class=route_class, responses=any_problem())

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """As ever, with this resource's limits."""
        super().add_api_route(path, endpoint, **options)
        for route in self.routes[-1:]:
            if isinstance(route, PlannedRoute):
                route.largest_body, route.admit = self._largest_body, self._admit


def serve(app: FastAPI, *routers: APIRouter) -> None:
    """Add the routes of `routers` to `app`: those that are asked for most first, because they are tried in order."""
    routes = [route for router in routers for route in router.routes]
    app.router.routes.extend(sorted(routes, key=lambda route: "GET" not in getattr(route, "methods", ())))
