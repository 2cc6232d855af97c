"""Which statements cannot run in a transaction, and which of all are patient: PostgreSQL is asked."""

import asyncio

import asyncpg
import pytest

from alembic_online.postgres.locks import LockMode, is_patient, needs_autocommit, needs_commit, strong_locks
from tests.alembic_online.postgres.locks.cases import ALONE, NOT_TOLD, REFUSED, TOLD, WEAK
from tests.alembic_online.postgres.locks.library import SCHEMA
from tests.sessions import session, until

_TABLE_LOCKS = """
SELECT coalesce(i.indrelid, l.relation)::regclass::text AS table, l.relation = i.indexrelid AS is_index, l.mode
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE l.pid = $1 AND l.mode <> 'AccessShareLock' AND c.relnamespace = 'public'::regnamespace AND c.relkind <> 'i'
"""
_WAITS = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)"


@pytest.mark.parametrize(("statement", "before"), ALONE.items())
async def test_a_statement_that_stands_alone_takes_the_locks_that_its_text_tells(
    database: str, statement: str, before: str
) -> None:
    async with session(database) as holder, session(database) as worker, session(database) as watcher:
        await holder.execute(SCHEMA)
        await holder.execute(f"BEGIN ISOLATION LEVEL REPEATABLE READ; {before}")
        pid = worker.get_server_pid()
        running = asyncio.create_task(worker.execute(statement))
        await until(lambda: watcher.fetchval(_WAITS, pid))
        taken = {row["table"]: LockMode.parse(row["mode"]) for row in await watcher.fetch(_TABLE_LOCKS, pid)}
        await holder.execute("ROLLBACK")
        await running
    table_kinds = ("table", "table of index")
    owners = {"ix_title": "books"}
    told = {owners.get(lock.name, lock.name): lock.mode for lock in strong_locks(statement) if lock.kind in table_kinds}
    assert taken == {
        name: mode for name, mode in told.items() if name not in ("fresh", "events_1")
    }  # their turn comes later


@pytest.mark.parametrize("statement", [*ALONE, *REFUSED])
async def test_what_postgres_refuses_in_a_transaction_needs_autocommit(library: str, statement: str) -> None:
    async with session(library) as connection:
        await connection.execute("BEGIN")
        with pytest.raises(asyncpg.ActiveSQLTransactionError):
            await connection.execute(statement)
    assert needs_autocommit(statement)


@pytest.mark.parametrize("statement", [*TOLD, *NOT_TOLD, *WEAK])
def test_what_runs_in_a_transaction_needs_no_autocommit(statement: str) -> None:
    """That they do is proved by test_strong_locks.py, which runs each in one."""
    assert not needs_autocommit(statement)


async def test_a_new_label_needs_a_commit_before_it_is_used(library: str) -> None:
    async with session(library) as connection:
        await connection.execute("CREATE TYPE shade AS ENUM ('dark')")
        try:
            added = "ALTER TYPE shade ADD VALUE 'light' BEFORE 'dark'"
            await connection.execute("BEGIN")
            await connection.execute(added)
            with pytest.raises(asyncpg.UnsafeNewEnumValueUsageError):
                await connection.execute("SELECT 'light'::shade")
        finally:
            await connection.execute("ROLLBACK")
            await connection.execute("DROP TYPE shade")
    assert needs_commit(added)


@pytest.mark.parametrize("statement", [*TOLD, *NOT_TOLD, *WEAK, "ALTER TYPE shade RENAME VALUE 'a' TO 'b'"])
def test_nothing_else_needs_a_commit(statement: str) -> None:
    assert needs_commit(statement) is ("ADD VALUE" in statement)


@pytest.mark.parametrize("statement", [*TOLD, *NOT_TOLD, *WEAK, *ALONE])
def test_a_patient_statement_stops_neither_reads_nor_writes(statement: str) -> None:
    modes = [lock.mode for lock in strong_locks(statement) if lock.kind != "materialized view"]  # nobody writes those
    if is_patient(statement):
        assert all(mode.blocks in ("schema changes", "nothing") for mode in modes)


@pytest.mark.parametrize(
    ("statement", "patient"),
    [
        *((statement, "FULL" not in statement.replace("FULL off", "")) for statement in ALONE),
        ("ALTER TABLE books VALIDATE CONSTRAINT fk", True),
        ("ALTER TABLE IF EXISTS ONLY books VALIDATE CONSTRAINT fk, VALIDATE CONSTRAINT ck", True),
        ("ALTER TABLE books VALIDATE CONSTRAINT fk, ADD COLUMN x int", False),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY counts", True),
        ("REFRESH MATERIALIZED VIEW counts", False),
        ("ANALYZE books", True),
        ("REINDEX (CONCURRENTLY off) TABLE books", False),
        ("REINDEX TABLE books", False),
        ("CREATE INDEX ON books (id)", False),
        ("COMMENT ON TABLE books IS 'x'", False),
        ("SELECT 'CREATE INDEX CONCURRENTLY'", False),
        ("ANALYZE books; DROP TABLE books", False),
        ("", False),
    ],
)
def test_patience_is_of_the_concurrent_forms_of_validation_and_of_maintenance(statement: str, patient: bool) -> None:
    assert is_patient(statement) is patient
