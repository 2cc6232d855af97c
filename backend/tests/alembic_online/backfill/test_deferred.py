"""A backfill that waits for its command holds up nobody where it has nothing to do, or where all is only tried out."""

import io
import os
from contextlib import chdir, redirect_stderr, redirect_stdout
from unittest.mock import patch

import psycopg
import pytest
from alembic.config import Config

from alembic_online.cli.main import main
from alembic_online.cli.verb import FINE
from alembic_online.revisions.project import open_project
from alembic_online.testing import Kit
from tests.alembic_online.project import Project

BOOKS = 'op.execute("CREATE TABLE books (id int PRIMARY KEY, old int, new int)")'
LEFT = 'op.backfill("books", {"new": "old * 2"}, name="doubled", deferred=True)'
CONTRACT = 'op.require_backfill("doubled"); op.drop_column("books", "old")'


@pytest.fixture
def books(project: Project) -> Project:
    """Three revisions: the table, a backfill that is left to its command, and one that requires it."""
    project.revision("001_a", None, BOOKS, 'op.drop_table("books")')
    project.revision("002_b", "001_a", LEFT, '"""Nothing to take back."""')
    project.revision("003_c", "002_b", CONTRACT, 'op.add_column("books", sa.Column("old", sa.Integer))')
    return project


def command(project: Project, url: str, *arguments: str) -> tuple[int, str]:
    """Exit code and everything that is printed by a verb."""
    output = io.StringIO()
    environment = patch.dict(os.environ, DATABASE_URL=url)
    with environment, chdir(project.folder), redirect_stdout(output), redirect_stderr(output):
        return main(arguments), output.getvalue()


@pytest.mark.parametrize("limit", ["600", "0"])
def test_a_new_database_comes_to_the_head(books: Project, database: str, limit: str) -> None:
    books.alembic.having(MIGRATION_BACKFILL_UPGRADE_SECONDS=limit)(database, "upgrade", "head")
    assert command(books, database, "backfill")[0] == FINE


@pytest.mark.parametrize("then", ["DELETE FROM books", "UPDATE books SET new = old * 2", "TRUNCATE books"])
def test_one_that_is_left_is_done_when_no_row_needs_it_any_more(
    books: Project, session: psycopg.Connection, database: str, then: str
) -> None:
    books.alembic(database, "upgrade", "001_a")
    session.execute("INSERT INTO books VALUES (1, 1, NULL)")
    assert books.alembic.refused(database, "upgrade", "head").exit_code == 21
    session.execute(then)
    books.alembic(database, "upgrade", "head")
    assert command(books, database, "backfill")[0] == FINE


@pytest.mark.parametrize(
    ("at", "arguments", "held_up"),
    [
        ("base", "lint", False),
        ("base", "plan", False),
        ("base", "plan --apply-and-rollback", False),
        ("base", "snapshot", False),
        ("002_b", "plan", False),
        ("002_b", "plan --apply-and-rollback", True),  # as an upgrade of this database would be
    ],
)
def test_no_verb_is_held_up_by_one_that_is_done_on_its_copy(
    books: Project, session: psycopg.Connection, database: str, at: str, arguments: str, held_up: bool
) -> None:
    if at != "base":
        books.alembic(database, "upgrade", "001_a")
        session.execute("INSERT INTO books VALUES (1, 1, NULL)")
        books.alembic(database, "upgrade", at)
    _, printed = command(books, database, *arguments.split())
    assert ("The backfill doubled has" in printed) is held_up, printed


@pytest.mark.prove
def test_the_kit_carries_it_out(books: Project, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    kit = Kit(open_project(Config(books.folder / "alembic.ini")))
    assert [each for name in ("round trip", "models") for each in kit.findings(name) if "doubled" in str(each)] == []


def test_the_command_works_in_the_schema_that_the_revision_has_set(
    project: Project, session: psycopg.Connection, database: str
) -> None:
    session.execute("CREATE SCHEMA tenant; CREATE TABLE tenant.books (id int PRIMARY KEY, old int, new int)")
    session.execute("CREATE TABLE books (id int PRIMARY KEY, old int, new int); INSERT INTO tenant.books VALUES (1, 7)")
    session.execute("CREATE FUNCTION tenant.twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2'")
    lines = [LEFT.replace("old * 2", "twice(old)"), 'op.execute("RESET search_path")']
    project.revision("001_a", upgrade="\n    ".join(['op.execute("SET search_path TO tenant")', *lines]))
    project.alembic(database, "upgrade", "head")
    assert command(project, database, "backfill", "doubled", "--dry-run")[0] == FINE
    assert command(project, database, "backfill", "doubled")[0] == FINE
    assert session.execute("SELECT new FROM tenant.books").fetchone() == (14,)
