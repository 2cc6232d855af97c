"""The history: a row for each upgrade and downgrade, true after every end, and in nobody's way."""

import hashlib
import signal
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import create_engine

from alembic_online.cli.main import main
from alembic_online.cli.verb import FINE, FOUND
from alembic_online.postgres.catalogue import compare, read_catalogue
from alembic_online.runtime.advisory_lock import MIGRATOR, lock_space
from alembic_online.runtime.history import BOOKKEEPING
from tests.alembic_online.project import Project
from tests.alembic_online.runner import gate
from tests.alembic_online.runner.processes import Migrator, until

Start = Callable[..., Migrator]


def history(url: str) -> list[dict[str, Any]]:
    with psycopg.connect(url, row_factory=dict_row) as session:
        return session.execute("SELECT * FROM alembic_history ORDER BY id").fetchall()


def test_an_upgrade_and_a_downgrade_leave_a_row_each_with_who_when_and_which_file(
    project: Project, database: str
) -> None:
    path = project.revision("001_a", upgrade='op.create_table("books")', downgrade='op.drop_table("books")')
    project.alembic.having(MIGRATION_APPLICATION_VERSION="v1.2.3")(database, "upgrade", "head")
    project.alembic(database, "downgrade", "base")
    up, down = history(database)
    assert [(row["revision"], row["direction"], row["outcome"]) for row in (up, down)] == [
        ("001_a", "upgrade", "done"),
        ("001_a", "downgrade", "done"),
    ]
    assert (up["role"], up["host"], up["application_version"]) == ("postgres", socket.gethostname(), "v1.2.3")
    assert timedelta(0) < up["finished"] - up["started"] < timedelta(seconds=20)
    assert (up["lock_waits"], up["retries"], up["step"], up["journal"]) == (0, 0, None, [])
    assert up["checksum"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_failure_is_recorded_with_its_step(project: Project, database: str) -> None:
    project.revision("001_a", upgrade='op.create_table("books"); op.execute("SELECT 1/0")')
    project.alembic.refused(database, "upgrade", "head")
    (row,) = history(database)
    assert (row["outcome"], row["step"]) == ("failed", "2: SELECT ?/?")
    assert row["finished"] is not None


def test_a_failure_at_the_very_commit_is_recorded_and_said(
    project: Project, database: str, watcher: psycopg.Connection
) -> None:
    watcher.execute("CREATE TABLE shelves (id integer PRIMARY KEY)")
    watcher.execute("CREATE TABLE books (shelf integer REFERENCES shelves DEFERRABLE INITIALLY DEFERRED)")
    project.revision("001_a", upgrade='op.execute("INSERT INTO books VALUES (7)")')
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, "Traceback" in stderr) == (18, False), stderr
    assert "violates foreign key constraint" in stderr
    assert [row["outcome"] for row in history(database)] == ["failed"]


def test_while_it_runs_others_see_the_row_and_the_step(project: Project, database: str, start: Start) -> None:
    project.revision("001_a", upgrade=f'op.execute("{gate.STEP}")')
    with gate.closed(database) as closed:
        running = start(project, database, "upgrade", "head")
        closed.noted()
        (row,) = history(database)
        assert (row["outcome"], row["finished"], row["step"][:5]) == ("running", None, "1: DO")
        closed.open()
        assert running.exit_code() == 0
    assert [row["outcome"] for row in history(database)] == ["done"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_stop_and_a_crash_are_told_apart_and_the_next_run_says_who_was_interrupted(
    project: Project, database: str, start: Start, number: signal.Signals
) -> None:
    project.revision("001_a", upgrade=f'op.execute("{gate.STEP}")')
    with gate.closed(database) as closed:
        running = start(project, database, "upgrade", "head")
        closed.noted()
        running.tell(number)
    said = project.alembic(database, "upgrade", "head")
    first, second = history(database)
    assert (first["outcome"], second["outcome"]) == (
        "stopped" if number is signal.SIGTERM else "interrupted",
        "done",
    )
    words = (
        f"The upgrade of 001_a that began at {first['started']:%Y-%m-%d %H:%M:%S} on {first['host']} was interrupted"
    )
    assert (f"{words} at step 1: DO" in said) == (number is signal.SIGKILL)


def test_a_stop_in_the_middle_of_a_note_is_recorded_all_the_same(
    project: Project, database: str, watcher: psycopg.Connection, start: Start
) -> None:
    # A question, which takes no lock: the row of the history is free while it is asked.
    with psycopg.connect(database) as connection:
        step = gate.STEP.removeprefix("DO $$").removesuffix("$$")
        connection.execute(f"CREATE FUNCTION gate() RETURNS void LANGUAGE plpgsql AS $$ {step} $$")
    asks = 'op.get_bind().exec_driver_sql("SELECT gate() -- 4711) LOOP")'
    project.revision("001_a", upgrade=f'{asks}; op.execute("CREATE TABLE books ()")')
    with gate.closed(database) as closed:
        running = start(project, database, "upgrade", "head")
        closed.reached()
        with psycopg.connect(database) as holder:
            holder.execute("SELECT * FROM alembic_history FOR UPDATE")
            closed.open()
            until(lambda: watcher.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())
            assert running.process.pid is not None
            running.process.terminate()
            until(lambda: not watcher.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'").fetchone())
        assert running.exit_code() == 143, running.output
    assert [row["outcome"] for row in history(database)] == ["stopped"]


def test_check_autogenerate_and_catalogues_do_not_see_the_table(project: Project, database: str) -> None:
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        before = read_catalogue(connection, ignore_tables=BOOKKEEPING)
    project.revision("001_a")
    project.alembic(database, "upgrade", "head")
    assert "No new upgrade operations detected" in project.alembic(database, "check")
    assert "Nothing to write" in project.alembic(database, "revision", "--autogenerate", "-m", "more")
    with engine.connect() as connection:
        assert not compare(before, read_catalogue(connection, ignore_tables=BOOKKEEPING))
    engine.dispose()


def test_the_verb_calls_interrupted_what_runs_no_more(
    project: Project,
    database: str,
    watcher: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    project.revision("001_a")
    project.alembic(database, "upgrade", "head")
    watcher.execute("UPDATE alembic_history SET outcome = 'running'")  # as a killed process leaves it
    assert main(["history"]) == FOUND
    assert "interrupted" in capsys.readouterr().out
    watcher.execute("SELECT pg_advisory_lock(%s, %s)", (lock_space(), MIGRATOR))
    assert main(["history"]) == FINE
    assert "running" in capsys.readouterr().out
