"""One connection in a transaction for all cases of a server: whatever a case does is rolled back."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, pool

from tests.alembic_online.autogenerate.planned_once import plan_once
from tests.servers import Server


@pytest.fixture(scope="session")
def _connection(server: Server) -> Iterator[Connection]:
    with server.database() as url:
        options = {"options": "-c plan_cache_mode=force_generic_plan", "prepare_threshold": None}
        address = url.replace("postgresql:", "postgresql+psycopg:")
        engine = create_engine(address, poolclass=pool.NullPool, connect_args=options)
        plan_once(engine)
        with engine.connect() as connection:
            yield connection


@pytest.fixture
def transaction(_connection: Connection) -> Iterator[Connection]:
    """A connection to an empty database, in a transaction that is rolled back."""
    with _connection.begin() as transaction:
        yield _connection
        transaction.rollback()
