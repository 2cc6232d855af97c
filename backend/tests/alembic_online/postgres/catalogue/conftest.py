"""One database a server, with two small tables, for every test that rolls back what it did."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine

from tests.servers import Server

WORKBENCH = """
CREATE TABLE users (id int CONSTRAINT pk_users PRIMARY KEY, email text);
CREATE TABLE chapters (
    id int CONSTRAINT pk_chapters PRIMARY KEY, title varchar(255), position int NOT NULL, user_id int, body text
);
CREATE INDEX ix_chapters_position ON chapters (position);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
"""


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
