"""A request that the database undid through no fault of the request is done once more, and nobody notices.

Whoever answers an error (`error_handlers`) marks the request, and this middleware, instead of sending that answer, runs
the application again with the same body. Only what is certainly undone is marked:

- a statement whose columns or types a migration changed since it was prepared ("cached plan must not change result
  type", "cache lookup failed for type"), a deadlock, a failed serialisation: PostgreSQL has rolled the transaction
  back, and the routes do nothing outside of it
- a read that the replica could not answer: the next one goes to the primary
"""

from typing import Any

from asyncpg.exceptions import InvalidCachedStatementError, OutdatedSchemaCacheError
from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alembic_online.postgres.sqlstate import (
    DEADLOCK_DETECTED,
    FEATURE_NOT_SUPPORTED,
    SERIALIZATION_FAILURE,
    causes,
    names_what_is_gone,
    server_message,
    sqlstate,
)

ATTEMPTS = 5
"""A migration changes a table in several steps, and the second try may meet the next one: three were not enough."""

_LONGEST = 1024 * 1024  # bytes of a body that are kept to be sent again
_MARK = "to be repeated"
# asyncpg has words of its own for the server's "cached plan must not change result type"; psycopg repeats those.
_STALE = (InvalidCachedStatementError, OutdatedSchemaCacheError)


def is_undone(error: BaseException) -> bool:
    """Whether PostgreSQL has certainly rolled back, and the same request may well succeed."""
    if any(isinstance(cause, _STALE) for cause in causes(error)):
        return True
    state = sqlstate(error)
    if state == FEATURE_NOT_SUPPORTED:
        return "cached plan must not change result type" in server_message(error)
    return state in (DEADLOCK_DETECTED, SERIALIZATION_FAILURE) or names_what_is_gone(error)


def ask_to_repeat(request: Request) -> None:
    """Mark the request, whose answer has not begun."""
    setattr(request.state, _MARK, True)


class Repeat:
    """ASGI middleware: runs the application up to `ATTEMPTS` times, and sends the first answer that stands."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})
        untouched, body = dict(scope), _Body(receive)
        for left in reversed(range(ATTEMPTS)):
            answer = _Answer(send, scope["state"], body, is_last=left == 0)
            await self.app(scope, body.from_the_start(), answer.send)
            if not answer.is_withheld:
                return
            scope.clear()
            scope.update(untouched)


class _Answer:
    """Lets an answer through unless the request was marked before it began."""

    def __init__(self, send: Send, state: dict[str, Any], body: "_Body", *, is_last: bool) -> None:
        self._send, self._state, self._body, self._is_last = send, state, body, is_last
        self.is_withheld = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.is_withheld = self._state.pop(_MARK, False) and self._body.is_kept and not self._is_last
        if not self.is_withheld:
            await self._send(message)


class _Body:
    """What the client has sent, kept while it is not too long."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: list[Message] = []
        self._size = 0

    @property
    def is_kept(self) -> bool:
        return self._size <= _LONGEST

    def from_the_start(self) -> Receive:
        kept = iter(list(self._kept))

        async def receive() -> Message:
            if (message := next(kept, None)) is None:
                message = await self._receive()
                self._keep(message)
            return message

        return receive

    def _keep(self, message: Message) -> None:
        self._size += len(message.get("body", b""))
        if not self.is_kept:
            self._kept.clear()
        elif message["type"] == "http.request":
            self._kept.append(message)
