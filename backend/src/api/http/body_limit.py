"""No body is read further than its route takes. FastAPI's own limit answers in plain text, beside every middleware."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope


def limited(scope: Scope, receive: Receive, largest: int) -> Receive:
    """`receive` for a body of at most `largest` bytes, announced or not. Both raise `HTTPException` 413."""
    announced = Headers(scope=scope).get("content-length", "")
    if announced.isdecimal() and int(announced) > largest:
        raise _too_large()
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > largest:
            raise _too_large()
        return message

    return receive_limited


def _too_large() -> HTTPException:
    return HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
