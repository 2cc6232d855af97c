"""Statements that wait for everybody and block nobody: outside of a transaction, with limits of their own."""

import signal
from collections.abc import Callable

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.runner import gate
from tests.alembic_online.runner.clients import Client
from tests.alembic_online.runner.outcomes import outcomes
from tests.alembic_online.runner.processes import Migrator, until

Start = Callable[..., Migrator]
CIC = 'op.create_index("ix", "books", ["id"], unique=True, postgresql_concurrently=True)'
VALID = "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'books'::regclass ORDER BY 1"


def lines(*statements: str) -> str:
    return "\n    ".join(statements)


def sql(*statements: str) -> str:
    return lines(*(f'op.execute("{statement}")' for statement in statements))


@pytest.fixture
def books(database: str, watcher: psycopg.Connection) -> str:
    """The URL of a database with a table of three rows."""
    watcher.execute("CREATE TABLE books (id integer); INSERT INTO books VALUES (1), (2), (3)")
    return database


def test_limits_of_a_patient_statement_and_of_the_next_one(
    project: Project, books: str, watcher: psycopg.Connection
) -> None:
    limits = "SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS whole"
    watcher.execute(f"CREATE MATERIALIZED VIEW seen AS {limits}; CREATE UNIQUE INDEX ON seen (lock)")
    watcher.execute(f"CREATE TABLE seen_later AS {limits} LIMIT 0")
    refresh = "REFRESH MATERIALIZED VIEW CONCURRENTLY seen"
    project.revision(
        "001_a", upgrade=sql(refresh, "ALTER TABLE books ADD x integer", f"INSERT INTO seen_later {limits}")
    )
    project.alembic.having(MIGRATION_CONCURRENT_DDL_TIMEOUT="1234")(books, "upgrade", "head")
    assert watcher.execute("SELECT * FROM seen").fetchall() == [("0", "1234s")]
    assert watcher.execute("SELECT * FROM seen_later").fetchall() == [("100ms", "0")]


def test_a_validation_keeps_no_strong_lock_of_what_came_before_it(
    project: Project, books: str, watcher: psycopg.Connection, start: Start
) -> None:
    body = f"{gate.STEP.removeprefix('DO $$').removesuffix('END $$')} RETURN true; END"
    watcher.execute(f"CREATE FUNCTION slow() RETURNS bool LANGUAGE plpgsql AS $f$ {body} $f$")
    add = "ALTER TABLE books ADD CONSTRAINT ck CHECK (id > 0 AND slow()) NOT VALID"
    project.revision("001_a", upgrade=sql(add, "ALTER TABLE books VALIDATE CONSTRAINT ck"))
    with gate.closed(books) as closed:
        running = start(project, books, "upgrade", "head")
        until(
            lambda: (
                watcher.execute("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%VALIDATE%slow%'").fetchone()
                or watcher.execute("SELECT 1 FROM pg_constraint WHERE conname = 'ck'").fetchone()
            )
        )
        with Client(books, "DELETE FROM books WHERE id = 7").asking() as client:
            client.goes_on()
            assert running.process.is_alive()
        closed.open()
    assert running.exit_code() == 0, running.output


def test_it_waits_for_older_transactions_longer_than_any_lock_timeout_and_holds_up_nobody(
    project: Project, books: str, watcher: psycopg.Connection, start: Start
) -> None:
    project.revision("001_a", upgrade=CIC)
    with psycopg.connect(books) as holder:
        holder.execute("INSERT INTO books VALUES (4)")
        running = start(project, books, "upgrade", "head", MIGRATION_LOCK_TIMEOUT="0.01")
        waits = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE%CONC%' AND now() - query_start > '0.3s'"
        until(lambda: watcher.execute(waits).fetchone())
        with Client(books, "UPDATE books SET id = id WHERE id = 1").asking() as client:
            client.goes_on()
    assert running.exit_code() == 0, running.output


def test_beyond_its_own_limit_it_is_ended_and_the_next_run_builds_the_index(
    project: Project, books: str, watcher: psycopg.Connection
) -> None:
    project.revision("001_a", upgrade=CIC)
    with psycopg.connect(books) as holder:
        holder.execute("INSERT INTO books VALUES (4)")
        code, stderr = project.alembic.having(MIGRATION_CONCURRENT_DDL_TIMEOUT="0.2").refused(books, "upgrade", "head")
    assert (code, "a statement took too long" in stderr) == (17, True)
    assert watcher.execute(VALID).fetchall() == [("ix", False)]
    project.alembic(books, "upgrade", "head")
    assert watcher.execute(VALID).fetchall() == [("ix", True)]


@pytest.mark.parametrize("if_not_exists", ["", ", if_not_exists=True"])
@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_a_failed_build_leaves_an_invalid_index_which_the_next_run_replaces_when_the_data_is_mended(
    project: Project, books: str, watcher: psycopg.Connection, driver: str, if_not_exists: str
) -> None:
    url = books.replace("postgresql:", f"postgresql+{driver}:")
    project.revision("001_a", upgrade=CIC.replace(")", f"{if_not_exists})"))
    watcher.execute("INSERT INTO books VALUES (1)")
    for _ in range(2):
        code, stderr = project.alembic.refused(url, "upgrade", "head")
        assert (code, "Row: Key (id)=(1) is duplicated." in stderr) == (18, True)
        assert watcher.execute(VALID).fetchall() == [("ix", False)]
    watcher.execute("DELETE FROM books WHERE ctid = (SELECT max(ctid) FROM books)")
    project.alembic(url, "upgrade", "head")
    assert watcher.execute(VALID).fetchall() == [("ix", True)]


def test_an_invalid_index_that_somebody_else_left_does_not_count_as_there(
    project: Project, books: str, watcher: psycopg.Connection
) -> None:
    watcher.execute("INSERT INTO books VALUES (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        watcher.execute("CREATE UNIQUE INDEX CONCURRENTLY ix ON books (id)")
    watcher.execute("DELETE FROM books WHERE id = 1")
    project.revision("001_a", upgrade=CIC.replace(")", ", if_not_exists=True)"))
    project.alembic(books, "upgrade", "head")
    assert watcher.execute(VALID).fetchall() == [("ix", True)]


def killed_after(project: Project, url: str, start: Start, upgrade: str) -> None:
    """The revision `upgrade` is killed when all of it is done, but for the stamp."""
    project.revision(
        "001_a", upgrade=lines(upgrade, "import os, signal; os.environ.get('K') and os.kill(os.getpid(), 9)")
    )
    assert start(project, url, "upgrade", "head", K="1").exit_code() == -signal.SIGKILL


def test_an_index_that_was_dropped_before_the_crash_is_not_missed_after_it(
    project: Project, books: str, watcher: psycopg.Connection, start: Start
) -> None:
    watcher.execute("CREATE INDEX ix ON books (id)")
    killed_after(project, books, start, sql("DROP INDEX CONCURRENTLY ix"))
    project.alembic(books, "upgrade", "head")
    assert watcher.execute(VALID).fetchall() == []
    assert outcomes(watcher) == ["interrupted", "done"]


def test_an_index_that_was_built_and_dropped_before_the_crash_is_not_built_again(
    project: Project, books: str, watcher: psycopg.Connection, start: Start
) -> None:
    swap = sql(
        "CREATE INDEX CONCURRENTLY new ON books (id)", "DROP INDEX CONCURRENTLY ix", "ALTER INDEX new RENAME TO ix"
    )
    watcher.execute("CREATE INDEX ix ON books (id)")
    killed_after(project, books, start, lines(swap, sql("REINDEX INDEX CONCURRENTLY ix")))
    oid = watcher.execute("SELECT 'ix'::regclass::oid").fetchone()
    project.alembic(books, "upgrade", "head")
    assert watcher.execute(VALID).fetchall() == [("ix", True)]
    assert watcher.execute("SELECT 'ix'::regclass::oid").fetchone() == oid


def test_a_partition_that_was_detached_before_the_crash_is_not_missed_after_it(
    project: Project, books: str, watcher: psycopg.Connection, start: Start
) -> None:
    watcher.execute("CREATE TABLE logs (id integer) PARTITION BY RANGE (id)")
    watcher.execute("CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (1) TO (9)")
    killed_after(project, books, start, sql("ALTER TABLE logs DETACH PARTITION logs_1 CONCURRENTLY"))
    project.alembic(books, "upgrade", "head")
    assert watcher.execute("SELECT count(*) FROM pg_inherits").fetchone() == (0,)


def test_what_an_interrupted_reindex_left_goes_with_the_next_run(
    project: Project, books: str, watcher: psycopg.Connection, start: Start
) -> None:
    watcher.execute("CREATE INDEX ix ON books (id)")
    project.revision("001_a", upgrade=sql("REINDEX INDEX CONCURRENTLY ix"))
    with psycopg.connect(books) as holder:
        holder.execute("INSERT INTO books VALUES (4)")
        running = start(project, books, "upgrade", "head")
        until(lambda: watcher.execute("SELECT 1 FROM pg_index WHERE NOT indisvalid").fetchone())
        assert running.tell(signal.SIGTERM) == 143
    assert len(watcher.execute(VALID).fetchall()) == 2
    project.alembic(books, "upgrade", "head")
    assert watcher.execute(VALID).fetchall() == [("ix", True)]


@pytest.mark.parametrize("statement", ["VACUUM FULL books", "CLUSTER"])
def test_what_cannot_be_in_a_transaction_but_locks_strongly_waits_without_standing_in_the_way(
    project: Project, books: str, watcher: psycopg.Connection, start: Start, statement: str
) -> None:
    watcher.execute("CREATE INDEX ix ON books (id); CLUSTER books USING ix")
    project.revision("001_a", upgrade=sql(statement))
    with Client(books, "SELECT count(*) FROM books", patient=False).asking() as client:
        with psycopg.connect(books) as holder:
            holder.execute("SELECT * FROM books")
            running = start(project, books, "upgrade", "head")
            running.says("Running upgrade")
            until(lambda: watcher.execute("SELECT 1 FROM alembic_history WHERE step IS NOT NULL").fetchone())
            client.goes_on(200)
            assert running.process.is_alive()
        assert running.exit_code() == 0, running.output
        assert client.error is None


OWN_LOCK = """bind = op.get_bind()
    bind.exec_driver_sql("SELECT pg_advisory_lock(7)")
    while not bind.scalar(sa.text("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")):
        pass"""


def test_who_waits_for_a_lock_of_the_projects_own_is_named_before_an_index_waits_for_him(
    project: Project, books: str, watcher: psycopg.Connection, start: Start
) -> None:
    project.revision("001_a", upgrade=lines(OWN_LOCK, 'op.create_index("ix", "books", ["id"])'))
    running = start(project, books, "upgrade", "head", MIGRATION_SMALL_TABLE_BYTES="0")
    held = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND granted"
    until(lambda: watcher.execute(held).fetchone() is not None)
    with psycopg.connect(books, autocommit=True, application_name="another deploy") as other:
        other.execute("SELECT pg_advisory_lock(7)")
    assert running.exit_code() == 17
    assert "(another deploy) waits for an advisory lock that this migration's session holds" in running.output
    assert watcher.execute(VALID).fetchall() == []
