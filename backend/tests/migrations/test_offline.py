"""What `--sql` writes, carried out by psql, does and undoes what the chain does."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from alembic_online.postgres.catalogue import Catalogue, compare, describe, read_catalogue
from alembic_online.postgres.embedded import program
from alembic_online.runtime.history import BOOKKEEPING
from tests.paths import BACKEND
from tests.servers import Server

REVISIONS = [
    script.revision
    for script in reversed(list(ScriptDirectory.from_config(Config(BACKEND / "alembic.ini")).walk_revisions()))
]


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def catalogue(url: str) -> Catalogue:
    with connected(url) as connection:
        return read_catalogue(connection, ignore_tables=BOOKKEEPING)


def assert_equal(before: Catalogue, after: Catalogue) -> None:
    assert not (differences := compare(before, after)), describe(differences)


def test_offline_sql_through_psql_makes_the_same_catalogue(server: Server, database: str, migrated: str) -> None:
    before = catalogue(database)
    with server.database() as offline:
        assert_equal(before, catalogue(offline))
        psql(offline, offline_sql("upgrade", "head"))
        assert_equal(catalogue(migrated), catalogue(offline))
        psql(offline, offline_sql("downgrade", f"{REVISIONS[-1]}:base"))
        assert_equal(before, catalogue(offline))


def offline_sql(*command: str) -> str:
    """What `alembic ... --sql` writes to stdout, as a process of its own."""
    alembic = Path(sys.executable).with_name("alembic")
    return subprocess.run([alembic, *command, "--sql"], cwd=BACKEND, capture_output=True, text=True, check=True).stdout


def psql(url: str, script: str) -> None:
    """Run the script as a person does, with psql, which stops at the first error."""
    command = [str(program("psql")), "-q", "-v", "ON_ERROR_STOP=1", url]
    subprocess.run(command, input=script, text=True, check=True, capture_output=True)
