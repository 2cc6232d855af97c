"""The database that statements are tried on."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.alembic_online.postgres.locks.library import SCHEMA
from tests.servers import Server


@pytest.fixture(scope="module")
def library(server: Server) -> Iterator[str]:
    """The URL of a database with the relations of the cases; nobody changes it for good."""
    with server.database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SCHEMA)
        yield url
