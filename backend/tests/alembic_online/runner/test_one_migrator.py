"""One migrator at a time, whatever the revision does, and however the one before ended."""

import signal
from collections.abc import Callable

import psycopg
import pytest

from alembic_online.runtime.advisory_lock import MIGRATOR, lock_space
from tests.alembic_online.project import Project
from tests.alembic_online.runner import gate
from tests.alembic_online.runner.processes import Migrator, until
from tests.servers import Server

Start = Callable[..., Migrator]
MANY = 8
COUNT = """op.execute("INSERT INTO applied VALUES ('{}')")"""
LONG = f'op.execute("{gate.STEP}")'
INDEX = 'op.create_index("ix_applied", "applied", ["revision"], postgresql_concurrently=True)'
IN_BLOCK = f"with op.get_context().autocommit_block():\n        {INDEX}"


def lines(*statements: str) -> str:
    return "\n    ".join(statements)


@pytest.fixture
def counted(project: Project) -> Project:
    """Two revisions that leave a row each time they are applied; the second is long, and builds an index."""
    project.revision(
        "001_a", upgrade=lines('op.create_table("applied", sa.Column("revision", sa.Text))', COUNT.format(1))
    )
    project.revision("002_b", parent="001_a", upgrade=lines(COUNT.format(2), LONG, IN_BLOCK, LONG))
    return project


def applied(watcher: psycopg.Connection) -> list[str]:
    return [row[0] for row in watcher.execute("SELECT revision FROM applied ORDER BY 1")]


@pytest.mark.parametrize("stamped", ["base", "001_a"])
def test_many_at_once_apply_each_revision_once_and_say_for_whom_they_wait(
    counted: Project, database: str, watcher: psycopg.Connection, start: Start, stamped: str
) -> None:
    if stamped != "base":
        counted.alembic(database, "upgrade", stamped)
    with gate.closed(database) as closed:
        running = [start(counted, database, "upgrade", "head") for _ in range(MANY)]
        closed.reached()
        until(lambda: sum("Waiting for another migration" in each.output for each in running) == MANY - 1)
        closed.open()
        assert [each.exit_code() for each in running] == [0] * MANY
    waited = [each.output for each in running if "Waiting for another migration of this database: pid " in each.output]
    assert len(waited) == MANY - 1
    assert all("Nothing to do: the database is at 002_b." in output for output in waited)
    assert applied(watcher) == ["1", "2"]
    rows = watcher.execute("SELECT revision, outcome FROM alembic_history ORDER BY id").fetchall()
    assert rows == [("001_a", "done"), ("002_b", "done")]
    assert "Nothing to do" in counted.alembic(database, "upgrade", "head")


def test_the_one_that_is_waited_for_is_named_by_its_pid_role_and_application(
    counted: Project, database: str, watcher: psycopg.Connection, start: Start
) -> None:
    with gate.closed(database) as closed:
        first = start(counted, database, "upgrade", "head")
        closed.reached()
        second = start(counted, database, "upgrade", "head")
        second.says("Waiting for another migration of this database: pid ")
        pid = int(second.output.partition(": pid ")[2].split()[0])
        found = watcher.execute(
            "SELECT usename, application_name FROM pg_stat_activity WHERE pid = %s", [pid]
        ).fetchone()
        assert found is not None
        assert f"({found[0]}, {found[1]}, connected at " in second.output
        closed.open()
        assert (first.exit_code(), second.exit_code()) == (0, 0)


def test_databases_of_one_server_do_not_wait_for_each_other(
    counted: Project, database: str, server: Server, start: Start
) -> None:
    with gate.closed(database) as closed, server.database() as other:
        running = start(counted, database, "upgrade", "head")
        closed.reached()
        assert "Waiting" not in counted.alembic(other, "upgrade", "head")
        closed.open()
        assert running.exit_code() == 0


def test_downgrades_and_stamps_wait_as_well(counted: Project, database: str, start: Start) -> None:
    with gate.closed(database) as closed:
        first = start(counted, database, "upgrade", "head")
        closed.reached()
        stamp = ("-x", "unproven=whichever comes first", "stamp", "001_a")
        others = [start(counted, database, *command) for command in (("downgrade", "001_a"), stamp)]
        for other in others:
            other.says("Waiting for another migration of this database")
        closed.open()
        assert [each.exit_code() for each in (first, *others)] == [0, 0, 0]


def test_who_waits_too_long_gives_up_and_says_for_whom(counted: Project, database: str, start: Start) -> None:
    with gate.closed(database) as closed:
        running = start(counted, database, "upgrade", "head")
        closed.reached()
        code, stderr = counted.alembic.having(MIGRATION_MIGRATOR_TIMEOUT="0.2").refused(database, "upgrade", "head")
        assert code == 17
        assert "Another migration of this database has not ended within 0.2 s: pid " in stderr
        closed.open()
        assert running.exit_code() == 0


def test_who_finds_nothing_to_do_waits_for_who_has_the_lock(
    project: Project, database: str, watcher: psycopg.Connection
) -> None:
    project.revision("001_a", upgrade='op.create_table("applied", sa.Column("revision", sa.Text))')
    project.alembic(database, "upgrade", "head")
    watcher.execute("SELECT pg_advisory_lock(%s, %s)", (lock_space(), MIGRATOR))
    code, stderr = project.alembic.having(MIGRATION_MIGRATOR_TIMEOUT="0.2").refused(database, "upgrade", "head")
    assert (code, "Another migration of this database has not ended" in stderr) == (17, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_waits_can_be_stopped(counted: Project, database: str, start: Start, number: signal.Signals) -> None:
    with gate.closed(database) as closed:
        running = start(counted, database, "upgrade", "head")
        closed.reached()
        waiting = start(counted, database, "upgrade", "head")
        waiting.says("Waiting for another migration of this database")
        assert waiting.tell(number) == 128 + number
        assert f"Stopped by {number.name}" in waiting.output
        assert "Traceback" not in waiting.output
        closed.open()
        assert running.exit_code() == 0


def test_a_killed_migrator_hinders_nobody(
    counted: Project, database: str, watcher: psycopg.Connection, start: Start
) -> None:
    with gate.closed(database) as closed:
        killed = start(counted, database, "upgrade", "head")
        pid = closed.reached()
        assert killed.tell(signal.SIGKILL) == -signal.SIGKILL
        # The gate is still closed: the server itself notices that nobody waits for the answer.
        until(lambda: not watcher.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone())
    counted.alembic(database, "upgrade", "head")
    assert applied(watcher) == ["1", "2"]


def test_a_killed_migrators_statement_that_still_runs_is_waited_for(
    counted: Project, database: str, watcher: psycopg.Connection, start: Start
) -> None:
    deaf = 'op.execute("SET client_connection_check_interval = 0")'
    counted.revision("002_b", parent="001_a", upgrade=lines(deaf, COUNT.format(2), LONG, IN_BLOCK))
    with gate.closed(database) as closed:
        killed = start(counted, database, "upgrade", "head")
        closed.reached()
        killed.tell(signal.SIGKILL)
        following = start(counted, database, "upgrade", "head")
        # Perhaps first for its other session, which notices at once that its client is gone.
        following.says("Waiting for another migration of this database: pid ")
        closed.open()
        assert following.exit_code() == 0
    assert applied(watcher) == ["1", "2"]
