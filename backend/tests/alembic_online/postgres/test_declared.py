"""Objects that SQLAlchemy has no word for, made along with the tables."""

import pytest
from sqlalchemy import Column, Connection, Enum, Integer, MetaData, Table, text

from alembic_online.postgres.declared import Extension, ExtensionTooOld, SQLObject, declare, declared


@pytest.fixture
def metadata() -> MetaData:
    metadata = MetaData()
    Table("notes", metadata, Column("id", Integer, primary_key=True))
    return metadata


def test_what_was_declared_is_kept_in_order(metadata: MetaData) -> None:
    first, second, third = SQLObject("SELECT 1"), Extension("vector"), SQLObject("SELECT 2")
    declare(metadata, first, second)
    declare(metadata, third)
    assert declared(metadata) == (first, second, third)
    assert declared(MetaData()) == ()


def test_extensions_come_before_the_tables_and_the_rest_after_them(connection: Connection, metadata: MetaData) -> None:
    declare(metadata, SQLObject("ALTER TABLE notes ADD COLUMN place vector(3)"), Extension("vector", "0.8"))
    metadata.create_all(connection)
    connection.execute(text("INSERT INTO notes VALUES (1, '[1,2,3]')"))


def test_a_schema_comes_before_an_enum_that_was_made_sooner(connection: Connection, metadata: MetaData) -> None:
    level = Enum("low", "high", name="level", schema="kinds", metadata=metadata)
    declare(metadata, SQLObject("CREATE DOMAIN top AS kinds.level"), SQLObject("CREATE SCHEMA kinds"))
    metadata.tables["notes"].append_column(Column("level", level))
    metadata.create_all(connection)
    assert connection.scalar(text("SELECT 'high'::top::text")) == "high"


@pytest.mark.parametrize("late", [True, False])
def test_a_schema_comes_before_the_types_in_it_whenever_it_is_declared(connection: Connection, late: bool) -> None:
    metadata, schema = MetaData(), SQLObject("CREATE SCHEMA kinds")
    declare(metadata, *([] if late else [schema]))
    level = Enum("low", "high", name="level", schema="kinds", metadata=metadata)
    Table("ticket", metadata, Column("level", level))
    declare(metadata, *([schema] if late else []))
    metadata.create_all(connection)
    query = "SELECT typnamespace::regnamespace::text FROM pg_type WHERE typname = 'level'"
    assert connection.scalar(text(query)) == "kinds"


def test_creating_everything_twice_is_harmless(connection: Connection, metadata: MetaData) -> None:
    declare(metadata, Extension("vector"), SQLObject("CREATE VIEW ids AS SELECT id FROM notes"))
    metadata.create_all(connection)
    metadata.create_all(connection)
    assert connection.scalar(text("SELECT count(*) FROM ids")) == 0


def test_the_statement_reaches_postgresql_as_it_is_written(connection: Connection, metadata: MetaData) -> None:
    declare(metadata, SQLObject("CREATE VIEW odd AS SELECT '100%s of :all' || ' %% ' AS words"))
    metadata.create_all(connection)
    assert connection.scalar(text("SELECT words FROM odd")) == "100%s of :all %% "


def test_an_extension_below_its_minimum_version_is_refused(connection: Connection, metadata: MetaData) -> None:
    declare(metadata, Extension("vector", minimum_version="99.1"))
    with pytest.raises(
        ExtensionTooOld, match=r"^Extension vector \S+ is too old: 99\.1 or newer is needed\. Run ALTER"
    ):
        metadata.create_all(connection)


def test_versions_compare_by_number(connection: Connection) -> None:
    connection.execute(text("CREATE EXTENSION vector"))
    connection.execute(text("UPDATE pg_extension SET extversion = '0.10.0' WHERE extname = 'vector'"))
    Extension("vector", minimum_version="0.9").create(connection)
    with pytest.raises(ExtensionTooOld, match=r"0\.10\.0"):
        Extension("vector", minimum_version="0.11").create(connection)
