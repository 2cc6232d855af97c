"""Routes whose dependencies are put in order once, when the route is made, and not anew for every request.

FastAPI walks the tree of dependencies on each request, with two exit stacks for those that have something to close.
That takes longer than a query by primary key. A route that only reads needs little of it. For GET routes that answer a
`Response` themselves, and whose dependencies are plain coroutines, the walk is done once and a request only follows the
list. Everything else, the documentation of these routes included, is FastAPI's own; so is every other route.

The names taken from `fastapi.dependencies` are not public: the lock file pins the version, and a test holds the answers
of a planned route against FastAPI's own.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from src.api.body_limit import limited

LARGEST_BODY = 1_000_000
"""Bytes, where a resource does not say otherwise."""


class PlannedRoute(APIRoute):
    """An APIRoute that answers by a plan where one can be made."""

    largest_body = LARGEST_BODY
    admit: Callable[[Request], Awaitable[object]] | None = None
    """Asked before the body is read: FastAPI asks dependencies only after that. Raises `ProblemError`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if _is_plain(self) and (steps := _plan(self.dependant)) is not None:
            self.app = _answering(steps)
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


@dataclass(frozen=True, slots=True)
class _Step:
    """One call: a dependency, or the endpoint itself, which is the last one."""

    call: Callable[..., Awaitable[Any]]
    dependant: Dependant
    inputs: tuple[tuple[str, int], ...]
    """Which argument is the result of which step before."""

    def arguments(self, request: Request, results: list[Any]) -> dict[str, Any]:
        """Raises `RequestValidationError`."""
        values = {name: results[number] for name, number in self.inputs}
        if self.dependant.request_param_name:
            values[self.dependant.request_param_name] = request
        if self.dependant.http_connection_param_name:
            values[self.dependant.http_connection_param_name] = request
        for fields, received in (
            (self.dependant.path_params, request.path_params),
            (self.dependant.query_params, request.query_params if self.dependant.query_params else {}),
            (self.dependant.header_params, request.headers),
        ):
            if fields:
                found, errors = request_params_to_args(fields, received)
                if errors:
                    raise RequestValidationError(errors)
                values.update(found)
        return values


def _answering(steps: list[_Step]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        results: list[Any] = []
        for step in steps:
            results.append(await step.call(**step.arguments(request, results)))
        await results[-1](scope, receive, send)

    return app


def _is_plain(route: APIRoute) -> bool:
    returned = inspect.signature(route.endpoint).return_annotation
    return route.methods == {"GET"} and route.body_field is None and returned in (Response, "Response")


def _plan(endpoint: Dependant) -> list[_Step] | None:
    """The calls in an order in which each one finds its arguments, or None if one of them needs more than a call."""
    ordered = list(_post_order(endpoint))
    if not all(_is_coroutine(dependant) and _asks_little(dependant) for dependant in ordered):
        return None
    numbers: dict[Any, int] = {}
    steps: list[_Step] = []
    for dependant in ordered:
        assert dependant.call is not None, "a coroutine function, as was just seen"
        if dependant.call not in numbers:  # one that is asked for twice is called once
            inputs = tuple((each.name, numbers[each.call]) for each in dependant.dependencies if each.name is not None)
            numbers[dependant.call] = len(steps)
            steps.append(_Step(dependant.call, dependant, inputs))
    return steps


def _post_order(dependant: Dependant) -> Iterator[Dependant]:
    for each in dependant.dependencies:
        yield from _post_order(each)
    yield dependant


def _is_coroutine(dependant: Dependant) -> bool:
    call = dependant.call
    # A class with `__call__`, such as the one that reads the bearer token, is asked for that.
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004


def _asks_little(dependant: Dependant) -> bool:
    return dependant.use_cache and not (
        dependant.body_params
        or dependant.cookie_params
        or dependant.response_param_name
        or dependant.background_tasks_param_name
        or dependant.security_scopes_param_name
        or dependant.websocket_param_name
        or dependant.concurrency
    )
