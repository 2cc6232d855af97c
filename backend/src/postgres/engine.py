"""From a URL to an engine: the one place that knows how each driver is called."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from src.postgres.url import DatabaseURL, parse_url
from src.settings import Variable

Creator = Callable[[], Awaitable[Any]]


def resolve_url(url: str) -> DatabaseURL:
    """Read `url`, and start the embedded server if it names one.

    Raises `InvalidURL`, `ServerUnreachable`.
    """
    source = url.name if isinstance(url, Variable) else "the database URL"
    if url.startswith("embedded:"):
        from src.postgres import embedded  # noqa: PLC0415  only those who use that server should pay for its imports

        url = embedded.start(url, source=source)
    return parse_url(url, source=source)


def async_engine(target: DatabaseURL, *, application_name: str, **options: Any) -> AsyncEngine:
    """An engine for `target`; `options` go to SQLAlchemy. No connection is opened before the first use."""
    creators = {"asyncpg": _asyncpg, "psycopg": _psycopg}
    # The driver gets libpq's spelling itself, so the URL here only names the dialect and is safe to print.
    url = URL.create(f"postgresql+{target.driver}", username=target.role, host=target.host, database=target.database)
    return create_async_engine(url, async_creator=creators[target.driver](target, application_name), **options)


def _asyncpg(target: DatabaseURL, application_name: str) -> Creator:
    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            target.dsn, timeout=target.connect_timeout, server_settings={"application_name": application_name}
        )

    return connect


def _psycopg(target: DatabaseURL, application_name: str) -> Creator:
    import psycopg  # noqa: PLC0415  0.1 s of every command that only those who ask for this driver should pay

    async def connect() -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(
            target.dsn, connect_timeout=int(target.connect_timeout), application_name=application_name
        )

    return connect
