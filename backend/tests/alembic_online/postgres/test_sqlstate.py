"""Promise: what the server says of an error is read alike from each driver."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from alembic_online.postgres.sqlstate import UNIQUE_VIOLATION, server_field, server_message, sqlstate
from tests.servers import with_driver


def _twice(connection: Connection) -> None:
    connection.execute(text("CREATE TEMP TABLE books (title text CONSTRAINT once UNIQUE)"))
    connection.execute(text("INSERT INTO books VALUES (:title)"), {"title": "a"})
    connection.execute(text("INSERT INTO books VALUES (:title)"), {"title": "a"})


def _sync(url: str) -> None:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        _twice(connection)


def _async(url: str) -> None:
    async def run() -> None:
        async with create_async_engine(url, poolclass=NullPool).connect() as connection:
            await connection.run_sync(_twice)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("driver", "run"),
    [
        pytest.param("psycopg", _sync, id="psycopg"),
        pytest.param("psycopg2", _sync, id="psycopg2"),
        pytest.param("asyncpg", _async, id="asyncpg"),
    ],
)
def test_an_error_is_read(database: str, driver: str, run: Callable[[str], None]) -> None:
    with pytest.raises(DBAPIError) as raised:
        run(with_driver(database, driver))
    assert sqlstate(raised.value) == UNIQUE_VIOLATION
    assert server_message(raised.value) == 'duplicate key value violates unique constraint "once"'
    assert server_field(raised.value, "detail") == "Key (title)=(a) already exists."
    assert server_field(raised.value, "constraint_name") == "once"
