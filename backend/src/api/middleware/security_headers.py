"""Headers that tell a browser to be strict (OWASP's list for an API), on every answer."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]
# An API's answers are no pages: nothing in them may load or run. The pages of /docs do load their scripts.
_API_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_ONLY_TLS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_PAGES = ("/docs", "/redoc")


class SecurityHeaders:
    """ASGI middleware; `only_tls` is for production, where browsers shall never come without TLS."""

    def __init__(self, app: ASGIApp, *, only_tls: bool) -> None:
        self.app = app
        self._page = [*_ALWAYS, _ONLY_TLS] if only_tls else _ALWAYS
        self._api = [*self._page, _API_POLICY]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        added = self._page if scope["path"].startswith(_PAGES) else self._api

        async def send_strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        await self.app(scope, receive, send_strictly)
