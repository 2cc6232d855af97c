"""A session beside the backfill."""

from collections.abc import Iterator

import psycopg
import pytest


@pytest.fixture
def session(database: str) -> Iterator[psycopg.Connection]:
    """A session of the superuser, in autocommit."""
    with psycopg.connect(database, autocommit=True) as connected:
        yield connected
