"""Which writes a client has made: a cookie holds the log position of the last one, for the replica to be held against.

In the cookie rather than in this process's memory, because the next request may reach another process.
"""

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from src.db.wal import is_position

COOKIE = "position"
_STATE = "position"


def position_of(request: Request) -> str | None:
    """The position up to which a replica must have replayed to answer the request; None if the client keeps none."""
    position = request.cookies.get(COOKIE, "")
    return position if is_position(position) else None


def remember(request: Request, position: str) -> None:
    """Let the answer tell the client how far the log was after its write."""
    setattr(request.state, _STATE, position)


class PositionCookie:
    """ASGI middleware: sets the cookie on the answer to a write."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and (position := scope.get("state", {}).pop(_STATE, None)):
                MutableHeaders(scope=message).append("Set-Cookie", _cookie(position))
            await send(message)

        await self.app(scope, receive, send_with_cookie if scope["type"] == "http" else send)


def _cookie(position: str) -> str:
    # It holds no secret, and a client that changes it only spoils its own reads.
    return f"{COOKIE}={position}; HttpOnly; Path=/; SameSite=Lax"
