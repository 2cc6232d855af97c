"""Routes whose dependencies are put in order once, when the route is made, and not again for every request.

FastAPI walks the tree of dependencies on each request, with two exit stacks for those that have something to close.
That takes longer than a query by primary key. A route that only reads needs little of it. For GET routes that answer a
`Response` themselves, and whose dependencies are plain coroutines, the walk is done once and a request only follows the
list. Everything else, the documentation of these routes included, is FastAPI's own; so is every other route.

The names taken from `fastapi.dependencies`, and in `parameters` from `fastapi._compat`, are not public: the lock file
pins the version, and a test holds the answers of a planned route against FastAPI's own.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from src.api.http.body_limit import limited
from src.api.http.parameters import Parameters

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


_LACKING = object()


@dataclass(frozen=True, slots=True)
class _Step:
    """One call: a dependency, or the endpoint itself, which is the last one."""

    call: Callable[..., Awaitable[Any]]
    inputs: tuple[tuple[str, int], ...]
    """Which argument is the result of which step before."""
    requests: tuple[str, ...]
    """Which arguments are the request."""
    parameters: tuple[tuple[str, Parameters], ...]
    """Those that stand in the request, by the request's attribute that holds them."""

    def arguments(self, request: Request, results: list[Any]) -> tuple[dict[str, Any], list[Any]]:
        """The arguments by name, and what is wrong with them."""
        errors: list[Any] = []
        values = {name: results[number] for name, number in self.inputs}
        for name in self.requests:
            values[name] = request
        for place, parameters in self.parameters:
            found, wrong = parameters.read(getattr(request, place))
            values.update(found)
            errors += wrong
        return values, errors

    def lacks(self, results: list[Any]) -> bool:
        """Whether a step that this one needs has no result."""
        return any(results[number] is _LACKING for _, number in self.inputs)


def _step(dependant: Dependant, numbers: dict[Any, int]) -> _Step:
    assert dependant.call is not None, "a coroutine function, as was just seen"
    places = {
        "path_params": dependant.path_params,
        "query_params": dependant.query_params,
        "headers": dependant.header_params,
    }
    requests = (dependant.request_param_name, dependant.http_connection_param_name)
    return _Step(
        dependant.call,
        tuple((each.name, numbers[each.call]) for each in dependant.dependencies if each.name is not None),
        tuple(name for name in requests if name),
        tuple((place, Parameters(fields)) for place, fields in places.items() if fields),
    )


def _answering(steps: list[_Step]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        results: list[Any] = []
        errors: list[Any] = []
        for step in steps:
            arguments, wrong = step.arguments(request, results)
            errors += wrong
            # After an error only that is asked which does not depend on it: it may have errors of its own to tell.
            is_asked = not errors or not (wrong or step is steps[-1] or step.lacks(results))
            results.append(await step.call(**arguments) if is_asked else _LACKING)
        if errors:
            raise RequestValidationError(errors)
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
        if dependant.call not in numbers:  # one that is asked for twice is called once
            steps.append(_step(dependant, numbers))
            numbers[dependant.call] = len(steps) - 1
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
