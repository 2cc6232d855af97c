"""One database a server, with two small tables, for every test that rolls back what it did."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine

from tests.alembic_online.postgres.catalogue.small_tables import WORKBENCH
from tests.servers import Server


@pytest.fixture(scope="session")
def workbench(server: Server) -> Iterator[str]:
    """The URL, for psycopg, of a database with the tables above; leave it as it was."""
    with server.database() as url:
        address = url.replace("postgresql://", "postgresql+psycopg://", 1)
        engine = create_engine(address)
        with engine.begin() as connection:
            connection.exec_driver_sql(WORKBENCH)
        engine.dispose()
        yield address


@pytest.fixture(scope="session")
def _connected(workbench: str) -> Iterator[Connection]:
    engine = create_engine(workbench)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def bench(_connected: Connection) -> Iterator[Connection]:
    """A connection to the workbench, in a transaction that is rolled back."""
    yield _connected
    _connected.rollback()
