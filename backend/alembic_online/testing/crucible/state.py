"""What a database holds: its schema, and every row."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import NullPool, create_engine

from alembic_online.postgres.catalogue import Catalogue, compare, describe, read_catalogue
from alembic_online.runtime.history import BOOKKEEPING
from alembic_online.sample_rows.tables import read_tables
from alembic_online.testing.crucible.environment import with_driver
from alembic_online.testing.row_snapshot import Contents, read_contents


@dataclass(frozen=True)
class State:
    """At one moment."""

    catalogue: Catalogue
    contents: Contents
    version: str


def read_state(url: str) -> State:
    """Of the database, without the bookkeeping, and without columns that a function fills by default."""
    engine = create_engine(with_driver(url, "psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        tables = read_tables(connection)
        contents = read_contents(connection, tables.values(), made_twice=True)
        version = str(connection.exec_driver_sql("SELECT string_agg(version_num, ',') FROM alembic_version").scalar())
        found = State(read_catalogue(connection, ignore_tables=BOOKKEEPING), contents, version)
    engine.dispose()
    return found


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
