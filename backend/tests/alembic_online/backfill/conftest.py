"""A table to fill, and backfills run from here or in processes that may be killed."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.alembic_online.runner.processes import Migrator, migrators


@pytest.fixture
def session(database: str) -> Iterator[psycopg.Connection]:
    """A session of the superuser, in autocommit."""
    with psycopg.connect(database, autocommit=True) as connected:
        yield connected


@pytest.fixture
def start() -> Iterator[Callable[..., Migrator]]:
    """`start(project, url, "upgrade", "head")` begins a migration in a process of its own."""
    with migrators() as begin:
        yield begin
