"""`python -m alembic_online backfill`: lists, estimates, runs, begins again, and says what it cannot."""

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from unittest.mock import patch

import psycopg
import pytest

from alembic_online.backfill.definition import Backfill
from alembic_online.backfill.monitor import Report
from alembic_online.backfill.state import Progress
from alembic_online.cli.backfill import words
from alembic_online.cli.main import main
from alembic_online.cli.verb import COULD_NOT_RUN, FINE, FOUND
from tests.alembic_online.backfill.running import run
from tests.alembic_online.project import Project
from tests.alembic_online.runner.processes import until
from tests.paths import BACKEND


def command(url: str, *arguments: str) -> tuple[int, str]:
    """Exit code and everything that is printed."""
    output = io.StringIO()
    with patch.dict(os.environ, DATABASE_URL=url), redirect_stdout(output), redirect_stderr(output):
        return main(["backfill", *arguments]), output.getvalue()


def begin(project: Project, session: psycopg.Connection, url: str) -> None:
    """A deferred one of three thousand rows, a third of which need it."""
    session.execute("CREATE TABLE books (id int PRIMARY KEY, v int)")
    session.execute("INSERT INTO books SELECT i, CASE WHEN i > 1000 THEN i END FROM generate_series(1, 3000) i")
    session.execute("ANALYZE books")
    project.revision("001_a", upgrade='op.backfill("books", {"v": "id"}, name="numbers", deferred=True)')
    project.alembic(url, "upgrade", "head")


def test_where_none_has_run_it_says_so(database: str) -> None:
    assert command(database) == (FINE, "No backfill has run here yet.\n")


def test_it_lists_them_and_runs_one_with_several_workers(
    project: Project, session: psycopg.Connection, database: str
) -> None:
    begin(project, session, database)
    code, listed = command(database)
    assert (code, listed.splitlines()[1].split()) == (FOUND, ["numbers", "not", "done", "0", "3,000", "0", "1"])
    (told,) = json.loads(command(database, "--json")[1])
    assert (told["name"], told["finished"], told["total"]) == ("numbers", False, 3000)
    assert json.loads(command(database, "numbers", "--dry-run", "--json")[1])["rows"] == 3000
    assert command(database, "numbers", "--workers", "2") == (FINE, "numbers is done: 1,000 rows changed.\n")
    assert command(database)[0] == FINE
    again = command(database, "numbers", "--restart", "--json")
    assert (again[0], json.loads(again[1])) == (FINE, {"name": "numbers", "changed": 0})
    assert session.execute("SELECT count(*) FROM books WHERE v = id").fetchone() == (3000,)


def test_a_dry_run_says_how_much_it_is_and_changes_nothing(
    project: Project, session: psycopg.Connection, database: str
) -> None:
    begin(project, session, database)
    code, printed = command(database, "numbers", "--dry-run")
    assert code == FINE
    assert "books: v = id" in printed
    assert "About 3,000 rows; 100% of those tried need it." in printed
    assert "Nothing was changed." in printed
    assert session.execute("SELECT count(v) FROM books").fetchone() == (2000,)


def test_one_that_is_done_is_begun_again_only_when_asked(session: psycopg.Connection, database: str) -> None:
    session.execute("CREATE TABLE books (id int PRIMARY KEY, v int); INSERT INTO books VALUES (1)")
    run(database, Backfill(table="books", values={"v": "id"}, name="numbers"))
    session.execute("UPDATE books SET v = NULL")
    command(database, "numbers")
    assert session.execute("SELECT v FROM books").fetchone() == (None,)
    command(database, "numbers", "--restart")
    assert session.execute("SELECT v FROM books").fetchone() == (1,)


@pytest.mark.parametrize(("rate", "said"), [(0.0, "begins"), (50.0, "50 rows a second, 2 s left")])
def test_nothing_is_estimated_before_a_row_has_been_walked(rate: float, said: str) -> None:
    progress = Progress("numbers", 0, 0, total=100, passes=1, finished=False, changed_in_last_pass=0)
    assert words(Report(progress, rate)) == said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_says_so_in_a_sentence_and_goes_on_later(
    project: Project, session: psycopg.Connection, database: str, number: signal.Signals
) -> None:
    begin(project, session, database)
    session.execute("BEGIN; SELECT FROM books WHERE id = 500 FOR UPDATE")  # so that it comes to no end
    arguments = [sys.executable, "-m", "alembic_online", "backfill", "numbers", "--workers", "2"]
    environment = {**os.environ, "DATABASE_URL": database}
    with subprocess.Popen(arguments, cwd=BACKEND, env=environment, stderr=subprocess.PIPE, text=True) as running:
        until(lambda: session.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())
        running.send_signal(number)
        _, stderr = running.communicate(timeout=30)
    session.execute("ROLLBACK")
    assert (running.returncode, stderr) == (
        128 + number,
        f"Stopped by {number.name}: backfill. What is done of it is kept: run the same command again to go on.\n",
    )
    assert command(database, "numbers") == (FINE, "numbers is done: 1,000 rows changed.\n")


@pytest.mark.parametrize(
    ("begun", "name", "words"),
    [
        ({}, "none", "No backfill is called 'none' in this database.\nBegun are: none."),
        ({"values": {"v": "1"}}, "other", "Begun are: books_v."),
        (
            {"function": lambda rows: [{"v": 1} for _ in rows], "where": "v IS NULL", "name": "f"},
            "f",
            "The values of the backfill f come from a Python function inside of a revision.",
        ),
    ],
)
def test_what_it_cannot_run_is_refused_in_words(
    session: psycopg.Connection, database: str, begun: dict[str, str], name: str, words: str
) -> None:
    session.execute("CREATE TABLE books (id int PRIMARY KEY, v int)")
    if begun:
        run(database, Backfill(table="books", **begun))  # type: ignore[arg-type]
    code, printed = command(database, name)
    assert code == COULD_NOT_RUN
    assert words in printed
