"""What a person sees of a long migration: a moving line on a terminal, plain lines elsewhere, or nothing."""

import fcntl
import os
import re
import select
import struct
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from alembic_online.runner.server_progress import in_words
from alembic_online.runtime.activity import Progress
from tests.alembic_online.project import Project
from tests.alembic_online.runner import gate
from tests.alembic_online.runner.processes import Migrator, until
from tests.servers import Server

Start = Callable[..., Migrator]
INDEX = 'op.create_index("ix", "books", ["id"], postgresql_concurrently=True)'


class Screen:
    """The person's side of a terminal."""

    def __init__(self, descriptor: int, name: str) -> None:
        self._descriptor, self.name = descriptor, name
        self.seen = ""

    def shows(self, pattern: str) -> str:
        """Read until it has shown `pattern`; returns what matched."""
        deadline = time.monotonic() + 20
        while not (found := re.search(pattern, self.seen, re.DOTALL)):
            assert time.monotonic() < deadline, f"not shown within 20 s: {self.seen}"
            assert select.select([self._descriptor], [], [], 20)[0], f"not shown within 20 s: {self.seen}"
            self.seen += os.read(self._descriptor, 4096).decode()
        return found[0]


@contextmanager
def screen() -> Iterator[Screen]:
    person, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
    try:
        yield Screen(person, os.ttyname(terminal))
    finally:
        os.close(person)
        os.close(terminal)


@pytest.fixture
def books(database: str, watcher: psycopg.Connection) -> str:
    watcher.execute("CREATE TABLE books (id integer); INSERT INTO books SELECT generate_series(1, 1000); ANALYZE books")
    return database


@pytest.mark.parametrize(
    ("relation", "size", "shown"),
    [
        ("17099", None, "on a new table (not committed yet), no estimate"),
        ("17099", "8192 bytes", "on a new table (not committed yet), no estimate"),
        ("books", "8192 bytes", "on books (8192 bytes), no estimate"),
    ],
)
def test_a_table_that_others_do_not_see_yet_has_no_number(relation: str, size: str | None, shown: str) -> None:
    assert Progress("building", 0, 0, *in_words(relation, size)).line(1) == shown


def test_on_a_terminal_a_long_step_has_a_line_that_moves_and_names_its_table(
    project: Project, books: str, start: Start
) -> None:
    project.revision("001_a", upgrade=f'op.execute("ALTER TABLE books ADD x integer"); op.execute("{gate.STEP}")')
    with screen() as terminal, gate.closed(books) as closed:
        running = start(project, books, "upgrade", "head", terminal=terminal.name, TERM="xterm")
        # Most of a statement is not shown on 80 columns; the place, the time and the table always are.
        terminal.shows(r"upgrade of 001_a, step 2: DO[^\n]*\r?\n[^\n]*on books \(about \d+ kB\)")
        terminal.seen = ""
        terminal.shows(r"upgrade of 001_a, step 2: DO")
        closed.open()
        assert running.exit_code() == 0


def test_on_a_terminal_an_index_build_has_a_bar_and_a_share(project: Project, books: str, start: Start) -> None:
    project.revision("001_a", upgrade=INDEX)
    with screen() as terminal:
        with psycopg.connect(books) as writer:
            writer.execute("INSERT INTO books VALUES (0)")
            running = start(project, books, "upgrade", "head", terminal=terminal.name, TERM="xterm")
            terminal.shows(r"step 1: CREATE INDEX CONCURRENTLY ix ON books.*on books \(\d+ kB\), waiting for writ.*0%")
            terminal.shows("━{20,}")
        assert running.exit_code() == 0


@pytest.mark.parametrize(
    "wanted", ["ALTER TABLE films ALTER COLUMN id TYPE bigint USING slow(id)", "REFRESH MATERIALIZED VIEW hits"]
)
def test_a_rewrite_has_a_share_by_what_it_has_written(
    project: Project, database: str, watcher: psycopg.Connection, start: Start, wanted: str
) -> None:
    wait = gate.STEP.removeprefix("DO $$ BEGIN ").removesuffix(" END $$")
    body = f"BEGIN IF id = 10000 THEN {wait} END IF; RETURN id; END"
    watcher.execute(f"CREATE FUNCTION slow(id integer) RETURNS bigint LANGUAGE plpgsql AS $f$ {body} $f$")
    watcher.execute("CREATE TABLE films AS SELECT i AS id, repeat('x', 500) AS title FROM generate_series(1, 20000) i")
    watcher.execute("CREATE MATERIALIZED VIEW hits AS SELECT slow(id) AS id, title FROM films")
    watcher.execute("DROP MATERIALIZED VIEW hits" if wanted.startswith("ALTER") else "ANALYZE hits")
    watcher.execute("ANALYZE films")
    path = project.revision("001_a", upgrade=f'op.execute("{wanted}")')
    path.write_text(path.read_text() + '\n\ndirect = {"films": "the online way rewrites nothing"}\n')
    with gate.closed(database) as closed:
        running = start(project, database, "upgrade", "head")
        running.says("rewriting: ")
        share = int(running.output.partition("rewriting: ")[2].partition("%")[0])
        assert 20 <= share <= 80, running.output
        assert " s left" in running.output
        closed.open()
        assert running.exit_code() == 0, running.output


@pytest.mark.parametrize("wanted", ["ALTER TABLE books ADD CHECK (slow(id))", "UPDATE books SET id = 1 WHERE slow(id)"])
def test_where_nobody_counts_the_table_its_size_and_no_estimate_are_shown(
    project: Project, books: str, watcher: psycopg.Connection, start: Start, wanted: str
) -> None:
    wait = gate.STEP.removeprefix("DO $$ BEGIN ").removesuffix(" END $$")
    body = f"BEGIN IF id = 500 THEN {wait} END IF; RETURN true; END"
    watcher.execute(f"CREATE FUNCTION slow(id integer) RETURNS boolean LANGUAGE plpgsql AS $f$ {body} $f$")
    project.revision("001_a", upgrade=f'op.execute("{wanted}")')
    with gate.closed(books) as closed:
        running = start(project, books, "upgrade", "head")
        running.says("s on books (about ")
        assert "), no estimate" in running.output
        closed.open()
        assert running.exit_code() == 0, running.output


def test_elsewhere_a_long_step_has_a_plain_line(project: Project, books: str, start: Start) -> None:
    project.revision("001_a", upgrade=INDEX)
    with psycopg.connect(books) as writer:
        writer.execute("INSERT INTO books VALUES (0)")
        running = start(project, books, "upgrade", "head")
        running.says("INFO upgrade of 001_a, step 1: CREATE INDEX CONCURRENTLY ix ON books (id), 1 s on books (")
    assert running.exit_code() == 0
    assert "\x1b" not in running.output


def test_a_quick_migration_says_no_more_than_alembic(project: Project, books: str, start: Start) -> None:
    project.revision("001_a", upgrade='op.create_table("films")')
    running = start(project, books, "upgrade", "head")
    assert running.exit_code() == 0
    assert [line.split()[1] for line in running.output.splitlines()] == ["Context", "Will", "Running"]


@pytest.mark.parametrize("on_terminal", [True, False])
def test_where_the_logger_is_quiet_nothing_is_shown(
    project: Project, books: str, start: Start, on_terminal: bool
) -> None:
    ini = project.folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("level = INFO", "level = WARNING"))
    project.revision("001_a", upgrade=f'op.execute("{gate.STEP}"); print("passed")')
    with screen() as terminal, gate.closed(books) as closed, psycopg.connect(books, autocommit=True) as watcher:
        running = start(project, books, "upgrade", "head", terminal=terminal.name if on_terminal else "")
        closed.reached()
        # Longer than the second after which something would be shown.
        long = "SELECT now() - started > interval '1.6 s' FROM alembic_history"
        until(lambda: watcher.execute(long).fetchone() == (True,))
        closed.open()
        assert running.exit_code() == 0
        shown = terminal.shows("passed\r\n") and terminal.seen.replace("\r", "") if on_terminal else running.output
    assert shown == "passed\n"


def test_where_no_connection_is_left_for_the_display_the_migration_goes_on_without(
    project: Project, server: Server, books: str, start: Start, watcher: psycopg.Connection
) -> None:
    watcher.execute("CREATE ROLE two_only LOGIN CONNECTION LIMIT 2")
    try:
        watcher.execute("GRANT ALL ON SCHEMA public TO two_only")
        project.revision("001_a", upgrade=f'op.execute("{gate.STEP}")')
        with gate.closed(books) as closed:
            running = start(project, books.replace("//postgres:", "//two_only:"), "upgrade", "head")
            running.says("Progress is not shown")
            closed.open()
            assert running.exit_code() == 0, running.output
    finally:
        watcher.execute("DROP OWNED BY two_only")
        watcher.execute("DROP ROLE two_only")
