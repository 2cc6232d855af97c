"""A large body read piece by piece: to parse 160 MB at once let everybody else wait for four seconds.

What comes of it is what `json.loads` makes of it. Between two elements of the lists that stand in the outermost object,
others have their turn. A thread would not do: `json.loads` holds the interpreter's lock from its beginning to its end.
"""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request, Response

from src.api.http.routing import LimitedRoute

Finish = Callable[[Any], Any]
_decode = json.JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\n\r]*")


def gradual_route(finish: Finish) -> type[LimitedRoute]:
    """Routes that read their bodies in pieces. `finish` is done to each element, so that it takes turns as well."""

    class GradualRequest(Request):
        async def json(self) -> Any:
            return await loads(await self.body(), finish)

    class GradualRoute(LimitedRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handle_gradually(request: Request) -> Response:
                return await handle(GradualRequest(request.scope, request.receive))

            return handle_gradually

    return GradualRoute


async def loads(body: bytes, finish: Finish) -> Any:
    """What `body` says, with `finish` done to the elements of its lists. Raises what `json.loads` raises."""
    members = dict[str, Any]()
    try:
        for _ in _members(_Cursor(body.decode()), members, finish):
            await asyncio.sleep(0)
    except ValueError:
        return json.loads(body)  # not an object, or not JSON: it knows the words
    return members


class _Cursor:
    """A place in a text, with no space before it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._go(0)

    def sees(self, mark: str) -> bool:
        """Whether `mark` comes next; an empty one is the end."""
        return self._text.startswith(mark, self._at) if mark else self._at == len(self._text)

    def passes(self, mark: str) -> bool:
        """Whether `mark` came next."""
        if seen := self.sees(mark):
            self._go(self._at + len(mark))
        return seen

    def need(self, *, is_there: bool) -> None:
        """Raises `ValueError` unless what has to come did."""
        if not is_there:
            raise ValueError(f"something else was to come at {self._at}")

    def value(self) -> Any:
        """The value that comes next, whole. Raises `ValueError`."""
        value, end = _decode(self._text, self._at)
        self._go(end)
        return value

    def _go(self, place: int) -> None:
        space = _SPACE.match(self._text, place)
        self._at = space.end() if space else place


def _members(cursor: _Cursor, members: dict[str, Any], finish: Finish) -> Iterator[None]:
    """Puts into `members` what the object at `cursor` has, which is all that there is."""
    cursor.need(is_there=cursor.passes("{"))
    more = not cursor.passes("}")
    while more:
        cursor.need(is_there=cursor.sees('"'))
        name = cursor.value()
        cursor.need(is_there=cursor.passes(":"))
        if cursor.passes("["):
            members[name] = []
            yield from _elements(cursor, members[name], finish)
        else:
            members[name] = cursor.value()
        more = _goes_on(cursor, "}")
    cursor.need(is_there=cursor.sees(""))


def _elements(cursor: _Cursor, elements: list[Any], finish: Finish) -> Iterator[None]:
    more = not cursor.passes("]")
    while more:
        elements.append(finish(cursor.value()))
        yield
        more = _goes_on(cursor, "]")


def _goes_on(cursor: _Cursor, end: str) -> bool:
    if cursor.passes(end):
        return False
    cursor.need(is_there=cursor.passes(","))
    return True
