"""What `strong_locks` reads from a statement is what PostgreSQL takes. Where the two differ, the server is right."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.connection.engine import async_engine, resolve_url
from alembic_online.postgres.locks import LockMode, TableLock, strong_locks
from alembic_online.postgres.locks.targets import lock_targets
from tests.alembic_online.postgres.locks.cases import ALONE, NOT_TOLD, TOLD, WEAK
from tests.servers import Server

_RELATIONS = text("""
SELECT c.oid, c.oid::regclass::text AS name, i.indrelid::regclass::text AS table
FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.relnamespace::regnamespace::text IN ('public', '"Odd Place"') AND c.relkind <> 'c'
""")
_TAKEN = text("SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'")

Locks = dict[str, LockMode]


@pytest.fixture
async def session(library: str) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction that is rolled back."""
    engine = async_engine(resolve_url(library), application_name="test")
    async with engine.connect() as connection:
        await connection.execute(text("LOAD 'vector'"))  # before that the server does not know an option's lock
        yield connection
    await engine.dispose()


async def told_and_taken(session: AsyncConnection, statement: str) -> tuple[Locks, Locks]:
    """The locks by relation: as told by the text, and as taken when it is run."""
    known = {row.oid: row for row in await session.execute(_RELATIONS)}
    tables = {row.name: row.table for row in known.values()}
    told = (await lock_targets(session, strong_locks(statement))).modes
    driver = (await session.get_raw_connection()).driver_connection
    await driver.execute(statement)  # type: ignore[union-attr]  # several at once, which SQLAlchemy does not pass on
    taken: Locks = {}
    for oid, mode in await session.execute(_TAKEN):
        if oid in known:
            taken[known[oid].name] = max(LockMode.parse(mode), taken.get(known[oid].name, LockMode.ACCESS_SHARE))
    return _that_matter(told, tables), _that_matter(taken, tables)


def _that_matter(locks: Locks, tables: dict[str, str | None]) -> Locks:
    """Without what is only read, and without the indexes that are locked no more strongly than their table."""
    return {
        name: mode
        for name, mode in locks.items()
        if mode > LockMode.ACCESS_SHARE and mode > locks.get(tables[name] or "", LockMode.ACCESS_SHARE)
    }


@pytest.mark.parametrize("statement", TOLD)
async def test_the_locks_that_the_text_tells_are_those_that_postgres_takes(
    session: AsyncConnection, statement: str
) -> None:
    told, taken = await told_and_taken(session, statement)
    assert told == taken


@pytest.mark.parametrize("statement", NOT_TOLD)
async def test_what_no_text_tells_is_known_to_be_left_out(session: AsyncConnection, statement: str) -> None:
    told, taken = await told_and_taken(session, statement)
    assert taken == told | NOT_TOLD[statement]
    assert not told.keys() & NOT_TOLD[statement].keys()


@pytest.mark.parametrize("statement", WEAK)
async def test_dml_takes_no_lock_that_another_client_notices(session: AsyncConnection, statement: str) -> None:
    _, taken = await told_and_taken(session, statement)
    assert strong_locks(statement) == ()
    assert all(mode.blocks == "nothing" for mode in taken.values())


async def test_postgres_18_adds_not_null_as_a_constraint(session: AsyncConnection, server: Server) -> None:
    if server.version < 18:
        pytest.skip("NOT NULL is no constraint before PostgreSQL 18")
    told, taken = await told_and_taken(session, "ALTER TABLE books ADD CONSTRAINT nn NOT NULL title NOT VALID")
    assert told == taken == {"books": LockMode.ACCESS_EXCLUSIVE}


async def test_postgres_18_enforces_a_foreign_key_on_both_tables(session: AsyncConnection, server: Server) -> None:
    if server.version < 18:
        pytest.skip("every constraint is enforced before PostgreSQL 18")
    told, taken = await told_and_taken(session, "ALTER TABLE books ALTER CONSTRAINT fk_author NOT ENFORCED")
    assert told == taken == {"books": LockMode.ACCESS_EXCLUSIVE, "authors": LockMode.ACCESS_EXCLUSIVE}


@pytest.mark.parametrize("statement", [*TOLD, *NOT_TOLD, *WEAK, *ALONE])
def test_text_that_breaks_off_anywhere_raises_nothing(statement: str) -> None:
    for end in range(len(statement)):
        assert all(lock.name for lock in strong_locks(statement[:end]))


@pytest.mark.parametrize(
    "text", ["", ";", "((", "LOCK books IN NO SUCH MODE", "DROP", "\0", "ALTER TABLE 'x'", "CREATE ON"]
)
def test_text_that_is_no_statement_raises_nothing(text: str) -> None:
    strong_locks(text)


def test_the_name_is_as_it_was_written_with_its_schema_and_its_quotes() -> None:
    [lock] = strong_locks('TRUNCATE "Odd Place" . "Odd ""Name"')
    assert lock == TableLock('"Odd Place"."Odd ""Name"', LockMode.ACCESS_EXCLUSIVE)


def test_of_several_actions_the_strongest_mode_is_told_once() -> None:
    locks = strong_locks("ALTER TABLE t ALTER a SET STATISTICS 9, ALTER b SET DEFAULT 1, ALTER c SET STATISTICS 9")
    assert locks == (TableLock("t", LockMode.ACCESS_EXCLUSIVE),)
