"""DDL is sent in few messages, and yet in order, and its errors are those of the statement that is wrong."""

from collections.abc import Callable

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, create_engine, event, inspect, pool, text
from sqlalchemy.exc import ProgrammingError

from alembic_online.postgres.connection.url import parse_url
from alembic_online.postgres.scratch import in_scratch, read_place
from alembic_online.postgres.sql.batched_ddl import gathered

_COMMITS = text("SELECT count(DISTINCT xmin::text) FROM pg_class WHERE relname LIKE 'gathered_%' AND relkind = 'r'")


@pytest.fixture
def scratch(database: str) -> Callable[[Callable[[Connection], None]], None]:
    """Runs something on a scratch database."""

    def run(work: Callable[[Connection], None]) -> None:
        engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
        with engine.connect() as connection:
            place = read_place(connection)
        in_scratch(parse_url(database), place, work)

    return run


def test_tables_are_made_in_a_few_transactions_and_are_there_for_who_asks(
    scratch: Callable[[Callable[[Connection], None]], None],
) -> None:
    metadata, seen, commits = MetaData(), list[bool](), list[int]()
    for number in range(120):
        Table(f"gathered_{number:03}", metadata, Column("id", Integer, primary_key=True, comment="it's 100% :x"))

    @event.listens_for(metadata.tables["gathered_070"], "after_create")
    def _(_: Table, connection: Connection, **__: object) -> None:
        seen.append(inspect(connection).has_table("gathered_070"))

    def work(connection: Connection) -> None:
        with gathered(connection):
            metadata.create_all(connection, checkfirst=False)
        commits.append(connection.scalar(_COMMITS) or 0)

    scratch(work)
    assert seen == [True]
    assert 1 < commits[0] < 10


def test_the_error_is_that_of_the_one_statement(scratch: Callable[[Callable[[Connection], None]], None]) -> None:
    metadata, defaults = MetaData(), ("1", "gone()", "2")
    for number in range(3):
        Table(f"gathered_{number}", metadata, Column("id", Integer, server_default=text(defaults[number])))

    def work(connection: Connection) -> None:
        with gathered(connection):
            metadata.create_all(connection, checkfirst=False)

    with pytest.raises(ProgrammingError, match=r"function gone\(\) does not exist[\s\S]*CREATE TABLE gathered_1"):
        scratch(work)
