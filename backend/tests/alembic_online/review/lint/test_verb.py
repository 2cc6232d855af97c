"""`python -m alembic_online lint` says what it found, for people and machines; its exit code says whether it did."""

import io
import json
import os
from contextlib import chdir, redirect_stderr, redirect_stdout
from unittest.mock import patch

import psycopg
import pytest

from alembic_online.cli.main import main
from alembic_online.cli.verb import COULD_NOT_RUN, FINE, FOUND
from tests.alembic_online.project import Project

ROWS = '"""Nothing to take back."""'


def command(project: Project, url: str, *arguments: str) -> tuple[int, str]:
    """Exit code and everything that is printed."""
    output = io.StringIO()
    environment = patch.dict(os.environ, DATABASE_URL=url)
    with environment, chdir(project.folder), redirect_stdout(output), redirect_stderr(output):
        return main(["lint", *arguments]), output.getvalue()


@pytest.fixture
def books(project: Project) -> Project:
    """A sound revision, and one that changes every row."""
    path = project.revision("001_books", None, 'op.execute("CREATE TABLE books (n int)")', 'op.drop_table("books")')
    path.write_text(path.read_text().replace("001_books.", "make the books", 1))
    path = project.revision("002_fill", "001_books", 'op.execute("UPDATE books SET n = 1")', ROWS)
    path.write_text(path.read_text().replace("002_fill.", "fill the books", 1))
    return project


def test_it_says_the_danger_and_what_to_write_instead(books: Project, database: str) -> None:
    code, printed = command(books, database, "002_fill")
    assert code == FOUND
    assert "002_fill.py:11: every-row" in printed
    assert "It changes every row of books in one statement: UPDATE books SET n = 1" in printed
    assert """Instead: op.backfill("books", {"n": "VALUE"}, where="n IS NULL")""" in printed
    assert printed.endswith("1 revision, 1 finding.\n")


def test_each_finding_says_where_it_is_and_what_to_write_about_the_table_at_hand(
    project: Project, database: str
) -> None:
    project.revision("001_a", None, 'op.execute("CREATE TABLE shops (id int PRIMARY KEY, name text)")', "pass")
    path = project.revision("002_b", "001_a", "_refer()\n    op.drop_column('shops', 'name')", "pass")
    path.write_text(
        path.read_text()
        + "\ndef _refer():\n    op.create_table('pages', sa.Column('shop', sa.Integer, sa.ForeignKey('shops.id')))\n"
        + "    op.execute('CREATE TABLE b AS SELECT FROM shops;"
        + " ALTER TABLE shops ALTER id TYPE bigint, RESET (fillfactor)')\n"
    )
    _, printed = command(project, database, "--json", "002_b")
    found = {each["rule"]: (each["line"], each["remedy"]) for each in json.loads(printed)}
    assert found["foreign-key-index"] == (19, 'op.create_index("ix_pages_shop", "pages", ["shop"])')
    assert found["blocking"][0] == 20
    assert found["blocking"][1].endswith('or direct = {"shops": "why it may"}')
    assert (found["data-loss"][0], found["still-mapped"][0]) == (12, 12)
    assert not any("books" in remedy for _, remedy in found.values())


def test_machines_get_json_and_what_is_sound_is_fine(books: Project, database: str) -> None:
    code, printed = command(books, database, "--json")
    assert (code, [(each["revision"], each["rule"]) for each in json.loads(printed)]) == (
        FOUND,
        [("002_fill", "every-row")],
    )
    assert command(books, database, "001_books") == (FINE, "1 revision, 0 findings.\n")


def test_a_name_that_is_not_there_is_a_sentence(books: Project, database: str) -> None:
    code, printed = command(books, database, "009_none")
    assert code == COULD_NOT_RUN
    assert "009_none" in printed


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("001_books:009_none", "No revision is called '009_none'."),
        ("-1", "-1 is relative to a database, and lint looks at files."),
        ("--sql=nowhere.sql", "nowhere.sql cannot be read: No such file or directory."),
    ],
)
def test_what_cannot_be_looked_at_is_a_sentence(books: Project, database: str, asked: str, sentence: str) -> None:
    arguments = [asked] if asked.startswith("--") else ["--", asked]
    assert command(books, database, *arguments)[1].startswith(sentence)


def test_a_database_of_newer_code_is_a_sentence_but_a_range_needs_none(books: Project, database: str) -> None:
    books.alembic(database, "upgrade", "head")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '009_newer'")
    code, printed = command(books, database)
    assert (code, printed.splitlines()[0]) == (
        COULD_NOT_RUN,
        "The database is at 009_newer, which this code does not have.",
    )
    assert command(books, database, "001_books")[0] == FINE


def test_sql_and_the_page_need_no_server(books: Project) -> None:
    (books.folder / "fine.sql").write_text("SELECT 1;")
    nowhere = "postgresql://nobody@127.0.0.1:9/nowhere"
    assert command(books, nowhere, "--sql", "fine.sql") == (FINE, "")
    assert command(books, nowhere, "--rules")[0] == FINE


def test_a_revision_that_was_edited_after_it_ran_here_is_found(books: Project, database: str) -> None:
    books.alembic(database, "upgrade", "001_books")
    path = books.folder / "versions" / "001_books.py"
    path.write_text(path.read_text().replace("n int", "n bigint"))
    code, printed = command(books, database, "001_books")
    assert code == FOUND
    assert "001_books.py:1: edited\n  It is not the one that this database ran." in printed


def test_sql_is_read_by_squawk(books: Project, database: str) -> None:
    (books.folder / "change.sql").write_text("CREATE INDEX ix ON books (n);")
    code, printed = command(books, database, "--sql", "change.sql")
    assert (code, printed.partition(": During")[0]) == (FOUND, "line 1: require-concurrent-index-creation")
