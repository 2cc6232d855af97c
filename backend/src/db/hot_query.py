"""Queries asked so often that the way to the driver counts: built with Core, compiled once, sent by asyncpg.

What SQLAlchemy does for one execution (session, transaction, compiled cache, result) takes five times the CPU of
asyncpg alone. A query that is one statement, and whose answer PostgreSQL can write as it is shown, as JSON, needs none
of it:

    CHAPTER = HotQuery(select(cast(func.json_build_object(...), Text)).where(...))
    body = await reader.value(CHAPTER, slug="intro")        # the JSON, or None

Other drivers than asyncpg are asked through SQLAlchemy's engine: the same answer, slower.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import asyncpg
from pgvector.sqlalchemy import VECTOR
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from alembic_online.postgres.connection.engine import asyncpg_options
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.sqlstate import names_what_is_gone
from src.db.vector import HotConnection

_DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]  # its constructor has no annotations

Fetch = Callable[[HotConnection], Awaitable[Any]]


class HotQuery:
    """One SELECT, with bind parameters by name. Values are sent as they are: an enum as its label, JSON as text."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
        self.statement = statement
        self.text = str(compiled)
        self._parameters = [(name, compiled.params[name]) for name in compiled.positiontup or ()]
        self.sends_vector = any(isinstance(bind.type, VECTOR) for bind in compiled.binds.values())

    def arguments(self, values: dict[str, Any]) -> list[Any]:
        """`values` in the order of `$1, $2, ...`, and the statement's own where it has them."""
        return [values.get(name, default) for name, default in self._parameters]


class Reader(Protocol):
    """Asks hot queries, each on its own: there is no transaction around two of them."""

    async def row(self, query: HotQuery, **values: Any) -> Sequence[Any] | None:
        """The first row, or None."""

    async def rows(self, query: HotQuery, **values: Any) -> Sequence[Sequence[Any]]:
        """All rows."""

    async def value(self, query: HotQuery, **values: Any) -> Any:
        """The first column of the first row, or None."""

    def connections(self) -> tuple[int, int]:
        """How many connections of its own are in use, and how many are idle."""


class PoolReader:
    """By asyncpg alone. A read whose connection is lost, or knows what is no longer, is asked once more on another."""

    def __init__(self, pool: asyncpg.Pool, patience: float) -> None:
        self._pool = pool
        self._places = asyncio.Semaphore(pool.get_max_size())  # first come, first served
        self._patience = patience

    async def row(self, query: HotQuery, **values: Any) -> Sequence[Any] | None:
        arguments = query.arguments(values)
        row: Sequence[Any] | None = await self._ask(query, lambda session: session.fetchrow(query.text, *arguments))
        return row

    async def rows(self, query: HotQuery, **values: Any) -> Sequence[Sequence[Any]]:
        arguments = query.arguments(values)
        rows: Sequence[Sequence[Any]] = await self._ask(query, lambda session: session.fetch(query.text, *arguments))
        return rows

    async def value(self, query: HotQuery, **values: Any) -> Any:
        row = await self.row(query, **values)
        return None if row is None else row[0]

    def connections(self) -> tuple[int, int]:
        size, idle = self._pool.get_size(), self._pool.get_idle_size()
        return size - idle, idle

    async def _ask(self, query: HotQuery, fetch: Fetch) -> Any:
        try:
            return await self._once(query, fetch)
        except (asyncpg.ConnectionDoesNotExistError, asyncpg.InternalClientError, ConnectionError):
            pass
        except (asyncpg.InternalServerError, asyncpg.UndefinedObjectError, asyncpg.DataError) as error:
            if not _knows_a_dropped_type(query, error):
                raise
            await self._pool.expire_connections()  # what one of them has prepared, the others may have too
        return await self._once(query, fetch)

    async def _wait_for_a_place(self) -> None:
        if self._places.locked():
            async with asyncio.timeout(self._patience):
                await self._places.acquire()
        else:  # which costs no timer
            await self._places.acquire()

    async def _once(self, query: HotQuery, fetch: Fetch) -> Any:
        await self._wait_for_a_place()
        try:
            connection = await self._pool.acquire()
            try:
                if query.sends_vector:
                    await connection.have_codec()
                # No transaction: a statement that a migration made stale is then prepared again by asyncpg itself.
                return await fetch(connection)
            except asyncpg.InternalClientError:  # the session ended just when the statement was to be sent
                connection.terminate()
                raise
            finally:
                await self._pool.release(connection)
        finally:
            self._places.release()


def _knows_a_dropped_type(query: HotQuery, error: Exception) -> bool:
    """Whether a type was rebuilt: what is prepared, and the codec of vectors, still name the one that is gone."""
    if isinstance(error, asyncpg.DataError):  # by asyncpg itself: prepared since then, and the new one has no codec
        return query.sends_vector and type(error) is asyncpg.DataError
    return names_what_is_gone(error)


class EngineReader:
    """By SQLAlchemy's engine, whatever its driver."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def row(self, query: HotQuery, **values: Any) -> Sequence[Any] | None:
        async with self._engine.connect() as connection:
            found: Sequence[Any] | None = (await connection.execute(query.statement, values)).first()
            return found

    async def rows(self, query: HotQuery, **values: Any) -> Sequence[Sequence[Any]]:
        async with self._engine.connect() as connection:
            return (await connection.execute(query.statement, values)).all()

    async def value(self, query: HotQuery, **values: Any) -> Any:
        row = await self.row(query, **values)
        return None if row is None else row[0]

    def connections(self) -> tuple[int, int]:
        return 0, 0


@asynccontextmanager
async def open_reader(
    engine: AsyncEngine, target: DatabaseURL, name: str = "reads", *, size: int, patience: float
) -> AsyncIterator[Reader]:
    """The fastest reader for the database of `engine`, on `size` connections at most, opened when they are needed.

    `name` is their `application_name`, where they are not those of `engine`.

    Whoever waits for a connection longer than `patience` seconds gets a `TimeoutError`.
    """
    if target.driver != "asyncpg" or target.pooled:
        yield EngineReader(engine)
        return
    options = asyncpg_options(target, name)
    # To compile a large plan takes the server a hundred times as long as a hot query does.
    options["server_settings"] |= {"jit": "off"}
    options |= {"connection_class": HotConnection, "reset": _keep}
    pool = asyncpg.create_pool(target.dsn, min_size=0, max_size=size, **options)
    await pool
    try:
        yield PoolReader(pool, patience)
    finally:
        # Where the network is gone nobody answers a farewell; asyncpg has cut the connections off by then.
        with suppress(TimeoutError):
            await pool.close()


async def _keep(_: asyncpg.Connection) -> None:
    """Nothing to reset: hot queries leave no state in a session, and asyncpg's own reset is another round trip."""
