"""A scratch database is like the one it stands for, is made wherever it can be, and never stays."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, text

from alembic_online.postgres.connection.url import parse_url
from alembic_online.postgres.scratch import PREFIX, Place, in_scratch, read_place
from tests.servers import Server, as_role


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _where(connection: Connection) -> tuple[str, str, str]:
    query = "SELECT current_database(), current_schema(), current_setting('TimeZone')"
    database, schema, zone = connection.execute(text(query)).one()
    return database, schema, zone


def _scratch_databases(server: Server) -> list[str]:
    with psycopg.connect(server.admin) as admin:
        return [name for (name,) in admin.execute(f"SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%'")]


def test_it_has_the_settings_and_the_default_schema_of_the_real_one(
    server: Server, database: str, connection: Connection
) -> None:
    connection.exec_driver_sql("CREATE SCHEMA tenant; SET search_path = tenant; SET TimeZone = 'Asia/Kolkata'")
    name, schema, zone = in_scratch(parse_url(database), read_place(connection), _where)
    assert (name.startswith(PREFIX), schema, zone) == (True, "tenant", "Asia/Kolkata")
    assert name not in _scratch_databases(server)


def test_it_is_gone_after_an_error_too(server: Server, database: str, connection: Connection) -> None:
    def fail(scratch: Connection) -> None:
        name.append(_where(scratch)[0])
        raise ZeroDivisionError

    name: list[str] = []
    with pytest.raises(ZeroDivisionError):
        in_scratch(parse_url(database), read_place(connection), fail)
    assert name[0] not in _scratch_databases(server)


def test_what_a_killed_process_left_an_hour_ago_is_dropped(
    server: Server, database: str, connection: Connection
) -> None:
    old, young = f"{PREFIX}1_dead", f"{PREFIX}99999999999_busy"
    with psycopg.connect(server.admin, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {old}")
        admin.execute(f"CREATE DATABASE {young}")
        in_scratch(parse_url(database), read_place(connection), _where)
        left = _scratch_databases(server)
        admin.execute(f"DROP DATABASE {young}")
    assert (old in left, young in left) == (False, True)


def test_a_role_that_may_not_make_databases_gets_a_server_of_its_own_with_the_same_roles(
    server: Server, database: str, connection: Connection
) -> None:
    """In two threads at once, as the test kit asks for them."""

    def roles(scratch: Connection) -> list[str]:
        return list(scratch.scalars(text("SELECT rolname FROM pg_roles WHERE rolname LIKE 'poor%'")))

    with psycopg.connect(server.admin, autocommit=True) as admin:
        admin.execute("CREATE ROLE poor LOGIN PASSWORD 'secret'; CREATE ROLE \"poor Reader\"")
    try:
        poor, place = parse_url(as_role(database, "poor", "secret")), read_place(connection)
        with ThreadPoolExecutor() as threads:
            found = list(threads.map(lambda _: sorted(in_scratch(poor, place, roles)), range(2)))
    finally:
        with psycopg.connect(server.admin, autocommit=True) as admin:
            admin.execute('DROP ROLE poor, "poor Reader"')
    assert found == [["poor", "poor Reader"]] * 2


def test_a_setting_that_the_other_server_does_not_know_is_left_out(database: str, connection: Connection) -> None:
    place = read_place(connection)
    stranger = replace(place, settings={**place.settings, "default_toast_compression": "of_a_later_version"})
    kept = in_scratch(parse_url(database), stranger, lambda it: it.scalar(text("SHOW default_toast_compression")))
    assert kept == connection.scalar(text("SHOW default_toast_compression"))


def test_another_server_can_be_named(server: Server, database: str, connection: Connection) -> None:
    nowhere = parse_url("postgresql://nobody@127.0.0.1:1/nothing")
    name, *_ = in_scratch(nowhere, read_place(connection), _where, elsewhere=database)
    assert name.startswith(PREFIX)


def test_a_place_knows_its_version(server: Server, connection: Connection) -> None:
    place: Place = read_place(connection)
    assert place.version == connection.dialect.server_version_info[0]  # type: ignore[index]
