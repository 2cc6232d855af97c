"""What a database holds: its schema, and every row."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import create_engine, text

from alembic_online.postgres.catalogue import Catalogue, Kind, compare, describe, read_catalogue
from alembic_online.postgres.catalogue.fingerprint import Fingerprint, Scope, read_fingerprint
from alembic_online.runtime.history import BOOKKEEPING

_TABLES = text(
    "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r'"
    " AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)' AND relname <> ALL (:ignored)"
)


@dataclass(frozen=True)
class State:
    """The schema, and the rows of each table in the order of their text."""

    catalogue: Catalogue
    fingerprint: Fingerprint
    rows: dict[str, list[Any]]


def read_state(url: str) -> State:
    """Of the database, without the bookkeeping."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        tables = connection.scalars(_TABLES, {"ignored": list(BOOKKEEPING)}).all()
        rows = {table: _rows(connection.exec_driver_sql(f"SELECT * FROM {table}")) for table in tables}
        catalogue = read_catalogue(connection, ignore_tables=BOOKKEEPING)
        schemas = tuple(sorted({entry.name for entry in catalogue.values() if entry.kind is Kind.SCHEMA}))
        found = State(catalogue, read_fingerprint(connection, Scope(schemas, BOOKKEEPING)), rows)
    engine.dispose()
    return found


def _rows(result: Any) -> list[Any]:
    """By names: the order of columns is the catalogue's matter."""
    return sorted(sorted((name, str(value)) for name, value in row.items()) for row in result.mappings())


def same(expected: State, found: State) -> None:
    """Fail, and say how the two differ."""
    differences = compare(expected.catalogue, found.catalogue)
    assert not differences, describe(differences)
    assert expected.fingerprint == found.fingerprint
    assert expected.rows == found.rows
