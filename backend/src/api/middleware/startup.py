"""A start that fails says why in one sentence: Starlette would hand the server a traceback of thirty lines."""

import sys

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alembic_online.postgres.errors import UserError


class PlainStartup:
    """ASGI middleware: a `UserError` of the lifespan is reported by its own words, any other error as it was."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_plainly(message: Message) -> None:
            error = sys.exception()  # Starlette reports from inside its own except block
            if message["type"] == "lifespan.startup.failed" and isinstance(error, UserError):
                message = {**message, "message": str(error)}
            await send(message)

        await self.app(scope, receive, send_plainly if scope["type"] == "lifespan" else send)
