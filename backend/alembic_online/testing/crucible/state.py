"""What a database holds: its schema, and every row."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import Connection, NullPool, create_engine

from alembic_online.postgres.catalogue import Catalogue, compare, describe, read_catalogue, stay_neutral
from alembic_online.runtime.history import BOOKKEEPING
from alembic_online.sample_rows.tables import read_tables
from alembic_online.testing.crucible.environment import with_driver
from alembic_online.testing.row_snapshot import Contents, read_contents

_VERSION = "SELECT string_agg(version_num, ',') FROM public.alembic_version"


@dataclass(frozen=True)
class State:
    """At one moment."""

    catalogue: Catalogue
    contents: Contents
    version: str


class StateReader:
    """Sessions that read one database again and again: new ones would plan all queries each time.

    That of the catalogue knows no ROLLBACK, with which psycopg forgets what it has prepared.
    """

    def __init__(self, url: str) -> None:
        self._engine = create_engine(
            with_driver(url, "psycopg"),
            poolclass=NullPool,
            connect_args={"prepare_threshold": 0},
        )
        self._sessions: tuple[Connection, Connection] | None = None

    def read(self) -> State:
        """What is there now, without the bookkeeping, and without columns that a function fills by default."""
        catalogue, rows = self._sessions = self._sessions or self._open()
        contents = read_contents(rows, read_tables(catalogue).values(), made_twice=True)
        rows.rollback()
        version = str(catalogue.exec_driver_sql(_VERSION).scalar())
        return State(read_catalogue(catalogue, ignore_tables=BOOKKEEPING), contents, version)

    def _open(self) -> tuple[Connection, Connection]:
        catalogue = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        stay_neutral(catalogue)
        return catalogue, self._engine.connect()

    def close(self) -> None:
        """End them."""
        for session in self._sessions or ():
            session.close()
        self._engine.dispose()


def read_state(url: str) -> State:
    """What it holds now."""
    with closing(StateReader(url)) as reader:
        return reader.read()


def differences(expected: State, found: State) -> Iterator[str]:
    """In words, schema first."""
    if differing := compare(expected.catalogue, found.catalogue):
        yield f"another schema: {describe(differing)}"
        return
    for table, rows in expected.contents.items():
        has = found.contents.get(table)
        if rows != has:
            missing, more = (rows - has, has - rows) if has is not None else (rows, rows)
            yield f"other rows in {table}: {next(iter(missing), '-')[:200]} became {next(iter(more), '-')[:200]}"
