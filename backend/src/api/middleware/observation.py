"""Every request is counted, and in production logged as one JSON object: never its query, its body or its headers."""

import time
from http import HTTPMethod
from typing import Any

import structlog
from asgi_correlation_id import correlation_id
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from src.api.ops.metrics import Metrics

_NO_ROUTE = "(none)"
_METHODS = frozenset(HTTPMethod)
_OTHER = "(other)"
"""A client can make up as many methods as it likes, and each would be a time series for good."""
_SILENT = ("/livez", "/readyz", "/metrics")
"""Asked every few seconds, and of interest only when they fail."""


class Observation:
    """ASGI middleware around everything that may answer."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, access_log: bool) -> None:
        self.app = app
        self._metrics = metrics
        self._access_log = access_log
        self._log: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500  # what the server answers if nobody does

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begun = time.perf_counter()
        try:
            await self.app(scope, receive, send_observed)
        finally:
            self._note(scope, status, time.perf_counter() - begun)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", _NO_ROUTE)
        method = scope["method"] if scope["method"] in _METHODS else _OTHER
        self._metrics.count(method, route, status, seconds)
        if self._access_log and not (route in _SILENT and status < 500):
            if self._log is None:  # bound once the logs are set up, and not again for every line
                self._log = structlog.get_logger().bind()
            self._log.info(
                "request",
                request_id=correlation_id.get(),
                method=scope["method"],
                route=route,
                path=scope["path"],
                status=status,
                milliseconds=round(seconds * 1000, 1),
                client=scope["client"][0] if scope.get("client") else None,
            )
