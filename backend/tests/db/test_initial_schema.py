"""Revision 001: up, it makes what the models say; down, it leaves what was there before."""

from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import create_engine

from alembic_online.postgres.catalogue import Catalogue, compare, describe, read_catalogue
from alembic_online.runtime.history import BOOKKEEPING
from src.db.models import Base
from tests.servers import Server

AlembicCommand = Callable[..., str]
MARKER = "created by revision 001_initial_schema"


def test_upgrade_makes_what_create_all_makes(database: str, migrated: str) -> None:
    by_revision = catalogue_of(migrated)
    engine = create_engine(sqlalchemy_url(database))
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
    engine.dispose()

    differences = compare(catalogue_of(database), by_revision)

    # The one that there must be says who made the extension. Any other is forgotten in a revision (a trigger?).
    assert [(d.identity.kind, d.attribute, d.after) for d in differences] == [("extension", "comment", MARKER)], (
        describe(differences)
    )


def test_autogenerate_finds_nothing_on_a_migrated_database(migrated: str, alembic: AlembicCommand) -> None:
    assert "No new upgrade operations detected." in alembic(migrated, "check")


def test_downgrade_leaves_an_empty_database_empty(database: str, alembic: AlembicCommand) -> None:
    before = catalogue_of(database)
    alembic(database, "upgrade", "head")
    alembic(database, "downgrade", "base")
    assert difference_between(before, catalogue_of(database)) == ""


def test_downgrade_leaves_what_others_made(database: str, alembic: AlembicCommand) -> None:
    run(
        database,
        "CREATE TYPE mood AS ENUM ('fine')",
        "CREATE TABLE notes (id int PRIMARY KEY, mood mood)",
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql RETURN 1",
    )
    before = catalogue_of(database)
    alembic(database, "upgrade", "head")
    alembic(database, "downgrade", "base")
    assert difference_between(before, catalogue_of(database)) == ""


def test_downgrade_leaves_an_extension_that_was_there_before(database: str, alembic: AlembicCommand) -> None:
    run(database, "CREATE EXTENSION vector")  # nothing uses it, so nothing but the revision would keep it
    before = catalogue_of(database)
    alembic(database, "upgrade", "head")
    alembic(database, "downgrade", "base")
    assert difference_between(before, catalogue_of(database)) == ""


def test_downgrade_keeps_an_extension_that_it_made_while_another_table_uses_it(
    database: str, alembic: AlembicCommand
) -> None:
    alembic(database, "upgrade", "head")
    run(database, "CREATE TABLE notes (place vector(3))", "INSERT INTO notes VALUES ('[1,2,3]')")
    alembic(database, "downgrade", "base")
    assert run(database, "SELECT place::text FROM notes") == [("[1,2,3]",)]

    run(database, "DROP TABLE notes")
    alembic(database, "upgrade", "head")
    alembic(database, "downgrade", "base")
    assert run(database, "SELECT extname FROM pg_extension WHERE extname = 'vector'") == []


def test_upgrade_refuses_an_extension_that_is_too_old_and_changes_nothing(
    database: str, alembic: AlembicCommand
) -> None:
    # No package has 0.7 for these servers; the version that PostgreSQL states is what the revision goes by.
    run(database, "CREATE EXTENSION vector", "UPDATE pg_extension SET extversion = '0.7.4' WHERE extname = 'vector'")
    before = catalogue_of(database)

    # The SQL alone: `alembic upgrade` has asked before, and does not get as far as the revision.
    sql = offline_sql(alembic, database, "upgrade", "001_initial_schema")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as refusal:
        run(database, sql)

    assert refusal.value.diag.message_primary == "Extension vector 0.7.4 is too old: 0.8 or newer is needed."
    assert "ALTER EXTENSION vector UPDATE" in str(refusal.value.diag.message_hint)
    assert difference_between(before, catalogue_of(database)) == ""


def test_the_sql_of_offline_mode_does_the_same(database: str, server: Server, alembic: AlembicCommand) -> None:
    before = catalogue_of(database)
    run(database, offline_sql(alembic, database, "upgrade", "001_initial_schema"))
    with server.database() as online:
        alembic(online, "upgrade", "001_initial_schema")
        assert difference_between(catalogue_of(online), catalogue_of(database)) == ""
        run(online, offline_sql(alembic, online, "downgrade", "001_initial_schema:base"))
        assert difference_between(before, catalogue_of(online)) == ""


def catalogue_of(url: str) -> Catalogue:
    engine = create_engine(sqlalchemy_url(url))
    with engine.connect() as connection:
        catalogue = read_catalogue(connection, ignore_tables=BOOKKEEPING)
    engine.dispose()
    return catalogue


def difference_between(before: Catalogue, after: Catalogue) -> str:
    return describe(compare(before, after))


def run(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Run the statements, and return the rows of the last one if it has any."""
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def offline_sql(alembic: AlembicCommand, url: str, *arguments: str) -> str:
    output = alembic(url, *arguments, "--sql")
    return "\n".join(line for line in output.splitlines() if not line.startswith("INFO "))  # the log goes to stderr


def sqlalchemy_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
