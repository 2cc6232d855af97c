"""A catalogue depends on the schema alone: not on who reads it, how, with which settings, nor on the rows."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from alembic_online.postgres.catalogue import (
    Attribute,
    Catalogue,
    Identity,
    Kind,
    compare,
    prepare_to_read,
    read_catalogue,
)
from alembic_online.postgres.catalogue.fingerprint import Scope, read_fingerprint
from alembic_online.postgres.catalogue.session import neutral_session
from tests.alembic_online.recipes.tables import NUMBERED
from tests.servers import Server

# Texts that PostgreSQL prints in another way under another setting.
TELLTALES = """
CREATE SCHEMA archive;
CREATE TYPE archive.theme AS ENUM ('light');
CREATE TABLE archive.telltales (
    theme archive.theme DEFAULT 'light',
    at timestamptz DEFAULT '2025-03-01 12:00+00',
    day date DEFAULT '2025-03-01',
    took interval DEFAULT '1 day 02:03',
    share float8 DEFAULT '0.12345678901234567'::float8,
    raw bytea DEFAULT '\\x00ff',
    price money DEFAULT '1234.5'::money,
    path text DEFAULT 'C:\\temp'
);
CREATE INDEX ix_telltales ON archive.telltales (day) WHERE at > '2025-03-01 12:00+00';
CREATE VIEW archive.titles AS SELECT title FROM public.chapters WHERE touched() > interval '1 day';
"""
TOUCHED = "CREATE FUNCTION touched() RETURNS interval IMMUTABLE LANGUAGE sql AS 'SELECT interval ''2 days'''"
SETTINGS = [
    "SET LOCAL search_path = archive, public",
    "SET LOCAL search_path = ''",
    "SET LOCAL TimeZone = 'Asia/Kathmandu'",
    "SET LOCAL DateStyle = 'German, DMY'",
    "SET LOCAL IntervalStyle = iso_8601",
    "SET LOCAL extra_float_digits = -15",
    "SET LOCAL bytea_output = escape",
    "SET LOCAL quote_all_identifiers = on",
    "SET LOCAL standard_conforming_strings = off",
    "SET TRANSACTION READ ONLY",
    "CREATE ROLE catalogue_nobody; SET LOCAL ROLE catalogue_nobody",
]


@pytest.fixture
def telling(bench: Connection) -> Connection:
    """The workbench with the telltales."""
    bench.exec_driver_sql(TOUCHED)
    bench.exec_driver_sql(TELLTALES)
    return bench


@pytest.fixture
def tablespace(workbench: str, _connected: Connection) -> Iterator[str]:
    """A tablespace; what the bench put there is rolled back before it is dropped."""
    name = "catalogue_space"
    for admin in _autocommit(workbench):
        admin.exec_driver_sql("SET allow_in_place_tablespaces = on")
        admin.exec_driver_sql(f"CREATE TABLESPACE {name} LOCATION ''")
        yield name
        _connected.rollback()
        admin.exec_driver_sql(f"DROP TABLESPACE {name}")


def test_an_unchanged_database_read_twice_is_equal(telling: Connection) -> None:
    first, second = read_catalogue(telling), read_catalogue(telling)

    assert first == second
    assert first.fingerprint == second.fingerprint
    assert hash(first) == hash(second)
    assert compare(first, second, owners=True, column_order=True) == []


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_catalogue_is_the_same_whatever_the_session_has_set(
    setting: str, telling: Connection, server: Server
) -> None:
    if server.version > 18 and "standard_conforming_strings" in setting:
        pytest.skip("PostgreSQL 19 has one way to read strings")
    scope = Scope(("archive", "public"))
    plain, fingerprint = read_catalogue(telling), read_fingerprint(telling, scope)

    telling.exec_driver_sql(setting)

    assert compare(plain, read_catalogue(telling)) == []
    assert read_fingerprint(telling, scope) == fingerprint


def test_every_name_in_a_definition_is_qualified(telling: Connection) -> None:
    telling.exec_driver_sql("SET LOCAL search_path = archive, public")
    catalogue = read_catalogue(telling)

    assert catalogue[_column("telltales", "theme")].text(Attribute.DEFAULT) == "'light'::archive.theme"
    assert catalogue[_column("telltales", "theme")].text(Attribute.TYPE) == "archive.theme"


def test_reading_leaves_the_settings_of_the_transaction_and_of_the_session(bench: Connection) -> None:
    bench.exec_driver_sql("SET LOCAL search_path = archive")
    bench.exec_driver_sql("SET LOCAL TimeZone = 'Asia/Kathmandu'")
    read_catalogue(bench)
    assert _settings(bench) == ("archive", "Asia/Kathmandu")

    bench.rollback()
    assert _settings(bench)[0] == '"$user", public'


def test_reading_in_autocommit_leaves_the_settings_of_the_session(workbench: str) -> None:
    for connection in _autocommit(workbench):
        connection.exec_driver_sql("SET search_path = archive")
        connection.exec_driver_sql("SET default_transaction_read_only = on")
        read_catalogue(connection)

        assert _settings(connection)[0] == "archive"


def test_what_is_prepared_reads_the_same_and_what_has_changed_since(workbench: str) -> None:
    for connection in _autocommit(workbench, prepare_threshold=None):
        plain = read_catalogue(connection)
        of_one_schema = read_catalogue(connection, schemas=["public"], ignore_tables=["chapters"])
        prepare_to_read(connection)
        assert read_catalogue(connection) == plain
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("ALTER TABLE chapters ADD COLUMN prepared int")
        changed = read_catalogue(connection)
        connection.exec_driver_sql("ROLLBACK")
        assert [str(each) for each in compare(plain, changed)] == ["chapters: column prepared: added"]
        assert read_catalogue(connection, schemas=["public"], ignore_tables=["chapters"]) == of_one_schema


def test_autocommit_and_a_transaction_read_the_same(bench: Connection, workbench: str) -> None:
    for connection in _autocommit(workbench):
        assert read_catalogue(connection) == read_catalogue(bench)


def test_a_transaction_begun_by_hand_on_an_autocommit_connection_goes_on(workbench: str) -> None:
    for connection in _autocommit(workbench):
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("CREATE TABLE notes (id int)")
        assert _table("notes") in read_catalogue(connection)

        connection.exec_driver_sql("ROLLBACK")
        assert _table("notes") not in read_catalogue(connection)


def test_an_error_while_reading_leaves_the_callers_transaction_usable(bench: Connection) -> None:
    bench.exec_driver_sql("CREATE TABLE notes (id int)")

    with pytest.raises(DBAPIError), neutral_session(bench):
        bench.exec_driver_sql("SELECT nothing")

    assert _table("notes") in read_catalogue(bench)


def test_asyncpg_reads_what_psycopg_reads(workbench: str, bench: Connection) -> None:
    async def read(level: str) -> Catalogue:
        engine = create_async_engine(workbench.replace("+psycopg", "+asyncpg"), isolation_level=level)
        async with engine.connect() as connection:
            catalogue = await connection.run_sync(read_catalogue)
        await engine.dispose()
        return catalogue

    by_psycopg = read_catalogue(bench)
    assert compare(by_psycopg, asyncio.run(read("READ COMMITTED")), owners=True) == []
    assert compare(by_psycopg, asyncio.run(read("AUTOCOMMIT")), owners=True) == []


def test_the_number_of_statements_does_not_grow_with_the_tables(bench: Connection) -> None:
    few = _statements_of_reading(bench)
    for number in range(30):
        bench.exec_driver_sql(f"CREATE TABLE t{number} (id serial PRIMARY KEY, user_id int UNIQUE REFERENCES users)")

    assert _statements_of_reading(bench) == few
    assert few <= 17


def test_only_the_schemas_asked_for_are_read(telling: Connection) -> None:
    telling.exec_driver_sql("CREATE PUBLICATION feed FOR TABLE chapters")

    catalogue = read_catalogue(telling, schemas=["archive"])

    assert {identity.schema for identity in catalogue} == {"archive", ""}
    assert {identity.kind for identity in catalogue if not identity.schema} == {Kind.SCHEMA, Kind.EXTENSION}
    assert read_catalogue(telling, schemas=[]).keys() == {Identity(Kind.EXTENSION, "", "", "plpgsql")}


def test_the_number_that_a_server_keeps_among_a_columns_options_is_none_of_them(bench: Connection) -> None:
    scope = Scope(("public",))
    bench.exec_driver_sql("CREATE TABLE books (id int, pages int); ALTER TABLE books ALTER pages SET (n_distinct = 5)")
    plain, fingerprint = read_catalogue(bench), read_fingerprint(bench, scope)
    bench.exec_driver_sql(NUMBERED)
    assert compare(plain, read_catalogue(bench)) == []
    assert read_fingerprint(bench, scope) == fingerprint


@pytest.mark.parametrize("name", ["notes", "public.notes"])
def test_an_ignored_table_leaves_nothing_behind(name: str, bench: Connection) -> None:
    before = read_catalogue(bench)
    bench.exec_driver_sql("CREATE TABLE notes (id serial PRIMARY KEY, user_id int REFERENCES users, day date)")
    bench.exec_driver_sql("CREATE STATISTICS st ON id, day FROM notes")

    assert read_catalogue(bench, ignore_tables=[name]) == before
    assert read_catalogue(bench, ignore_tables=["archive.notes"]) != before


def test_temporary_tables_and_rows_are_no_schema(bench: Connection) -> None:
    before = read_catalogue(bench)
    bench.exec_driver_sql("CREATE TEMPORARY TABLE scratch (id serial)")
    bench.exec_driver_sql("INSERT INTO users VALUES (1, 'a'), (2, 'b')")
    bench.exec_driver_sql("ANALYZE users")

    assert read_catalogue(bench) == before


def test_a_tablespace_is_an_attribute_of_table_and_index(tablespace: str, bench: Connection) -> None:
    before = read_catalogue(bench)
    bench.exec_driver_sql(f"ALTER TABLE users SET TABLESPACE {tablespace}")
    bench.exec_driver_sql(f"ALTER INDEX ix_chapters_position SET TABLESPACE {tablespace}")

    assert [str(difference) for difference in compare(before, read_catalogue(bench))] == [
        f"chapters: index ix_chapters_position: tablespace default -> {tablespace}",
        f"table users: tablespace default -> {tablespace}",
    ]


def _column(table: str, name: str) -> Identity:
    return Identity(Kind.COLUMN, "archive", table, name)


def _table(name: str) -> Identity:
    return Identity(Kind.TABLE, "public", "", name)


def _settings(connection: Connection) -> tuple[str, str]:
    row = connection.exec_driver_sql("SELECT current_setting('search_path'), current_setting('TimeZone')").one()
    return row[0], row[1]


def _autocommit(url: str, **options: object) -> Iterator[Connection]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args=options)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _statements_of_reading(connection: Connection) -> int:
    statements: list[object] = []

    def count(*arguments: object) -> None:
        statements.append(arguments)

    event.listen(connection, "before_cursor_execute", count)
    read_catalogue(connection)
    event.remove(connection, "before_cursor_execute", count)
    return len(statements)
