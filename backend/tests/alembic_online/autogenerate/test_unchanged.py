"""Complete schemas of many styles: what is written makes them, and from then on nothing is written, ever."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, MetaData, create_engine, pool
from sqlalchemy.schema import CreateSchema

from alembic_online.autogenerate.context import Context, Schema
from alembic_online.autogenerate.diff import plan
from alembic_online.autogenerate.model_schema import make_models
from alembic_online.postgres.catalogue import compare, describe
from tests.alembic_online.autogenerate.case import equal, read, run
from tests.alembic_online.autogenerate.unchanged import ALL, PLAIN, metadata_of
from tests.alembic_online.project import Project


@contextmanager
def _built(connection: Connection, metadata: MetaData) -> Iterator[Schema]:
    with connection.begin_nested() as savepoint:
        make_models(connection, metadata, read(connection))
        yield read(connection)
        savepoint.rollback()


@pytest.mark.parametrize("name", ALL)
def test_what_is_written_makes_the_schema_and_then_nothing_is_left_to_write(transaction: Connection, name: str) -> None:
    metadata, nothing = metadata_of(name), read(transaction)
    with _built(transaction, metadata) as wanted:
        assert len(wanted.catalogue) > len(nothing.catalogue)
    up, down = plan(Context(nothing, wanted, metadata)), plan(Context(wanted, nothing))
    run(transaction, up, metadata)
    made = read(transaction)
    equal(made, wanted, up)
    run(transaction, down, metadata)
    equal(read(transaction), nothing, down)
    with _built(transaction, metadata_of(name)) as again:  # the same models, read by Python once more
        assert describe(compare(made.catalogue, again.catalogue)) == ""
        assert plan(Context(made, again, metadata)) == []


def test_what_create_all_made_is_what_the_command_line_wants(project: Project, database: str) -> None:
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
    metadata = metadata_of(*PLAIN)
    with engine.begin() as connection:
        for schema in {table.schema for table in metadata.tables.values() if table.schema}:
            connection.execute(CreateSchema(schema))
        metadata.create_all(connection)
    models = "from tests.alembic_online.autogenerate.unchanged import PLAIN, metadata_of"
    project.models(f"{models}\nmetadata = metadata_of(*PLAIN)")
    assert "No new upgrade operations" in project.alembic(database, "check")
    assert "do not differ" in project.alembic(database, "revision", "--autogenerate", "-m", "nothing")
