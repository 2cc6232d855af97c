"""The names in a statement's text lead to the relations of this database, and to those that it does not name."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.connection.engine import async_engine, resolve_url
from alembic_online.postgres.locks import LockMode, TableLock, strong_locks
from alembic_online.postgres.locks.targets import lock_targets

STRONG = LockMode.ACCESS_EXCLUSIVE


@pytest.fixture
async def connection(library: str) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction."""
    engine = async_engine(resolve_url(library), application_name="test")
    async with engine.connect() as made:
        yield made
    await engine.dispose()


async def test_the_table_of_an_index_and_the_tables_of_a_foreign_key_are_found(connection: AsyncConnection) -> None:
    assert (await lock_targets(connection, strong_locks("DROP INDEX ix_title"))).modes == {
        "books": STRONG,
        "ix_title": STRONG,
    }
    assert (await lock_targets(connection, strong_locks("ALTER TABLE books DROP CONSTRAINT fk_author"))).modes == {
        "authors": STRONG,
        "books": STRONG,
    }
    assert (await lock_targets(connection, strong_locks("ALTER TABLE books DROP CONSTRAINT ck_pages"))).modes == {
        "books": STRONG
    }


async def test_a_part_is_found_as_the_server_reads_it_folded_unless_it_is_quoted(connection: AsyncConnection) -> None:
    referenced = [TableLock("Books", STRONG, "referenced tables", part=part) for part in ("FK_Author", '"FK_Author"')]
    assert (await lock_targets(connection, referenced[:1])).modes == {"authors": STRONG}
    assert (await lock_targets(connection, referenced[1:])).modes == {}


async def test_what_is_not_there_is_left_out_and_the_transaction_lives_on(connection: AsyncConnection) -> None:
    locks = [TableLock(name, STRONG) for name in ("nowhere", "no.schema", "PUBLIC.Books", '"Odd Place"."Odd ""Name"')]
    found = await lock_targets(connection, locks)
    assert found.modes == {"books": STRONG, '"Odd Place"."Odd ""Name"': STRONG}
    assert (await lock_targets(connection, [])).modes == {}
    assert await connection.scalar(text("SELECT 1")) == 1


async def test_of_two_locks_on_one_table_the_stronger_is_told(connection: AsyncConnection) -> None:
    locks = [TableLock("books", LockMode.SHARE), TableLock("public.books", LockMode.SHARE_ROW_EXCLUSIVE)]
    assert (await lock_targets(connection, locks)).modes == {"books": LockMode.SHARE_ROW_EXCLUSIVE}


async def test_looking_takes_no_lock_on_the_tables(connection: AsyncConnection) -> None:
    await lock_targets(connection, strong_locks("DROP TABLE books CASCADE"))
    held = text("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'books'::regclass")
    assert await connection.scalar(held) == 0
