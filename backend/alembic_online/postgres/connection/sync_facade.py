"""A sync engine that looks like an async one: what asks beside a run is written with `await`.

A call blocks the loop that it is awaited in. That is why such a loop has a thread of its own (`runtime.waiter`).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Dialect, Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

AnyEngine = TypeVar("AnyEngine", Engine, AsyncEngine)


class _SyncConnection:
    """The methods of `AsyncConnection` that the toolkit uses."""

    def __init__(self, connection: Connection, engine: "_SyncEngine") -> None:
        self.sync_connection, self.engine = connection, engine

    @property
    def info(self) -> dict[Any, Any]:
        return self.sync_connection.info

    @property
    def dialect(self) -> Dialect:
        return self.sync_connection.dialect

    async def execute(self, *arguments: Any, **options: Any) -> Any:
        return self.sync_connection.execute(*arguments, **options)

    async def scalar(self, *arguments: Any, **options: Any) -> Any:
        return self.sync_connection.scalar(*arguments, **options)

    async def scalars(self, *arguments: Any, **options: Any) -> Any:
        return self.sync_connection.scalars(*arguments, **options)

    async def exec_driver_sql(self, *arguments: Any, **options: Any) -> Any:
        return self.sync_connection.exec_driver_sql(*arguments, **options)

    async def execution_options(self, **options: Any) -> "_SyncConnection":
        self.sync_connection.execution_options(**options)
        return self

    async def get_raw_connection(self) -> Any:
        return self.sync_connection.connection

    async def run_sync(self, function: Any, *arguments: Any, **options: Any) -> Any:
        return function(self.sync_connection, *arguments, **options)

    @property
    def invalidated(self) -> bool:
        return self.sync_connection.invalidated

    async def invalidate(self) -> None:
        self.sync_connection.invalidate()

    async def commit(self) -> None:
        self.sync_connection.commit()

    async def rollback(self) -> None:
        self.sync_connection.rollback()

    async def close(self) -> None:
        self.sync_connection.close()


class _SyncEngine:
    """The same of `AsyncEngine`."""

    def __init__(self, engine: Engine) -> None:
        self.sync_engine = engine

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[_SyncConnection]:
        connection = _SyncConnection(self.sync_engine.connect(), self)
        try:
            yield connection
        finally:
            await connection.close()

    async def dispose(self) -> None:
        """It is not ours."""


def as_sync(engine: Engine | AsyncEngine) -> Engine:
    """The engine to which SQLAlchemy's events belong."""
    return engine.sync_engine if isinstance(engine, AsyncEngine) else engine


def as_async(engine: Engine) -> AsyncEngine:
    """More connections of `engine`, which may be of an async driver or not."""
    if engine.dialect.is_async:
        return AsyncEngine(engine)
    return cast("AsyncEngine", _SyncEngine(engine))


def connection_as_async(connection: Connection) -> AsyncConnection:
    """This one, of a sync driver."""
    return cast("AsyncConnection", _SyncConnection(connection, _SyncEngine(connection.engine)))
