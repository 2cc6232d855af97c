"""One connection in a transaction for all cases of a server: whatever a case does is rolled back."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, pool

from tests.servers import Server


@pytest.fixture(scope="session")
def _connection(server: Server) -> Iterator[Connection]:
    with server.database() as url:
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
        with engine.connect() as connection:
            yield connection


@pytest.fixture
def transaction(_connection: Connection) -> Iterator[Connection]:
    """A connection to an empty database, in a transaction that is rolled back."""
    with _connection.begin() as transaction:
        yield _connection
        transaction.rollback()
