"""HEAD wherever there is GET (RFC 9110, section 9.1): who watches a service often asks so. FastAPI has it nowhere."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """ASGI middleware: HEAD is answered as GET would be, without the content."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        as_get = {**scope, "method": "GET"}

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        try:
            await self.app(as_get, receive, send_head)
        finally:
            scope.update({"route": as_get["route"]} if "route" in as_get else {})  # by which it is counted
