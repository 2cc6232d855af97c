"""The ceiling: an ASGI application that only sends a statement by asyncpg and passes the answer on.

`uvicorn benchmarks.bare_api:create_app --factory`, with the statements in the environment: `BARE_ROUTES` is JSON, a
statement, the column of the answer and the arguments by path. No framework, no sign-in, no validation, no headers.
"""

import json
import os
from typing import Any
from uuid import UUID

import asyncpg

Route = tuple[str, int, list[Any]]


def create_app() -> Any:
    routes = {path: (text, column, [_argument(each) for each in given]) for path, (text, column, given) in _routes()}
    pools: list[asyncpg.Pool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(pools, receive, send)
            return
        text, column, arguments = routes[scope["path"]]
        async with pools[0].acquire() as connection:
            body = (await connection.fetchval(text, *arguments, column=column)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


async def _live(pools: list[asyncpg.Pool], receive: Any, send: Any) -> None:
    await receive()
    pools.append(await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=8, reset=_keep))
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await pools[0].close()
    await send({"type": "lifespan.shutdown.complete"})


async def _keep(_: asyncpg.Connection) -> None:
    """As the API does: no reset between two statements."""


def _routes() -> list[tuple[str, Route]]:
    routes: dict[str, Route] = json.loads(os.environ["BARE_ROUTES"])
    return list(routes.items())


def _argument(value: Any) -> Any:
    """JSON has no UUIDs."""
    return UUID(value["uuid"]) if isinstance(value, dict) else value
