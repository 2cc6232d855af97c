"""A rename is said by a hint or an answer, and then keeps the rows; it is never guessed."""

import io
from collections.abc import Iterator

import psycopg
import pytest

from tests.alembic_online.project import Project

TABLE = 'Table("{}", metadata, Column("id", Integer, primary_key=True), {})'
TITLE = 'Column("title", String(20), nullable=False, server_default="none")'


@pytest.fixture
def shelf(project: Project, database: str) -> Iterator[psycopg.Connection]:
    """A database with one book, made by the first revision of the project."""
    project.models(TABLE.format("books", TITLE))
    project.alembic(database, "revision", "--autogenerate", "-m", "add books")
    project.alembic(database, "upgrade", "head")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("INSERT INTO books VALUES (1, 'Emma')")
        yield connection


def _there_and_back(project: Project, url: str, shelf: psycopg.Connection, query: str) -> None:
    """Write the revision, go up, see the row, find no difference, go down, see the row."""
    project.alembic(url, "revision", "--autogenerate", "-m", "rename")
    project.alembic(url, "upgrade", "head")
    assert shelf.execute(query).fetchall() == [("Emma",)]
    assert "No new upgrade operations" in project.alembic(url, "check")
    project.alembic(url, "downgrade", "-1")
    assert shelf.execute("SELECT title FROM books").fetchall() == [("Emma",)]


@pytest.mark.prove
def test_a_column_with_a_hint_and_another_type(project: Project, database: str, shelf: psycopg.Connection) -> None:
    column = 'Column("name", String(50), nullable=False, server_default="none", info={"renamed_from": "title"})'
    project.models(TABLE.format("books", column))
    _there_and_back(project, database, shelf, "SELECT name FROM books")


def test_a_table_and_its_column_with_hints(project: Project, database: str, shelf: psycopg.Connection) -> None:
    column = 'Column("name", String(20), nullable=False, server_default="none", info={"renamed_from": "title"})'
    project.models(TABLE.format("works", column + ', info={"renamed_from": "books"}'))
    _there_and_back(project, database, shelf, "SELECT name FROM works")


@pytest.mark.prove
def test_a_partitioned_table_with_partitions_that_nobody_declared(project: Project, database: str) -> None:
    """Each has a NOT NULL of its own name, from PostgreSQL 18 on: they are not renamed with it."""
    logs = 'Table("{}", metadata, Column("id", Integer, nullable=False), postgresql_partition_by="RANGE (id)"{})'
    project.models(logs.format("logs", ""))
    project.alembic(database, "revision", "--autogenerate", "-m", "add logs")
    project.alembic(database, "upgrade", "head")
    with psycopg.connect(database) as connection:
        connection.execute(
            "CREATE TABLE logs_1 (id integer NOT NULL); ALTER TABLE logs ATTACH PARTITION logs_1 DEFAULT"
        )
        connection.execute("INSERT INTO logs VALUES (7)")
    project.models(logs.format("lines", ', info={"renamed_from": "logs"}'))
    project.alembic(database, "revision", "--autogenerate", "-m", "rename")
    project.alembic(database, "upgrade", "head")
    assert "No new upgrade operations" in project.alembic(database, "check")
    project.alembic(database, "downgrade", "-1")
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT id FROM logs").fetchall() == [(7,)]


@pytest.mark.prove
def test_a_table_moves_to_another_schema_that_is_made_for_it(
    project: Project, database: str, shelf: psycopg.Connection
) -> None:
    project.models(TABLE.format("books", TITLE + ', schema="archive", info={"renamed_from": "public.books"}'))
    _there_and_back(project, database, shelf, "SELECT title FROM archive.books")


def test_a_label_of_an_enum(project: Project, database: str, shelf: psycopg.Connection) -> None:
    kind = 'Column("kind", Enum({}, name="kind"), info={{"renamed_from": {}}})'
    project.models(
        "from sqlalchemy import Enum\n" + TABLE.format("books", f"{TITLE}, {kind.format(repr('novel'), {})}")
    )
    project.alembic(database, "revision", "--autogenerate", "-m", "add kind")
    project.alembic(database, "upgrade", "head")
    shelf.execute("UPDATE books SET kind = 'novel'")
    hint = kind.format(repr("fiction"), {"fiction": "novel"})
    unsaid = kind.format(repr("fiction"), {})
    project.models("from sqlalchemy import Enum\n" + TABLE.format("books", f"{TITLE}, {unsaid}"))
    code, stderr = project.alembic.refused(database, "revision", "--autogenerate", "-m", "rename")
    assert (code, 'info={"renamed_from": {"fiction": "novel"}}' in stderr) == (16, True)
    project.models("from sqlalchemy import Enum\n" + TABLE.format("books", f"{TITLE}, {hint}"))
    _there_and_back(project, database, shelf, "SELECT title FROM books WHERE kind = 'fiction'")


def test_without_a_hint_and_a_terminal_it_is_refused_with_the_hint_to_write(
    project: Project, database: str, shelf: psycopg.Connection
) -> None:
    """A column or a table by another name, and a table in another schema."""
    for models, hint in (
        (TABLE.format("books", TITLE.replace("title", "name")), 'Column("name", ..., info={"renamed_from": "title"})'),
        (TABLE.format("works", TITLE), 'Table("works", ..., info={"renamed_from": "books"})'),
        (
            TABLE.format("books", f'{TITLE}, schema="archive"'),
            'Table("books", ..., info={"renamed_from": "public.books"})',
        ),
    ):
        project.models(models)
        code, stderr = project.alembic.refused(database, "revision", "--autogenerate", "-m", "rename")
        assert (code, hint in stderr) == (16, True), stderr
    assert len(list((project.folder / "versions").glob("*.py"))) == 1


def test_a_hint_of_none_says_that_it_is_new_and_the_file_says_what_is_destroyed(
    project: Project, database: str, shelf: psycopg.Connection
) -> None:
    column = TITLE.replace("title", "name").replace('"none")', '"none", info={"renamed_from": None})')
    project.models(TABLE.format("books", column))
    project.alembic(database, "revision", "--autogenerate", "-m", "another column")
    assert "# Destroys data: column books.title" in (project.folder / "versions" / "002_another_column.py").read_text()
    project.alembic(database, "upgrade", "head")
    assert shelf.execute("SELECT name FROM books").fetchall() == [("none",)]


@pytest.mark.parametrize(("answers", "kept"), [("y\n", [("Emma",)]), ("n\n", [("none",)])])
def test_on_a_terminal_a_person_is_asked(
    project: Project,
    database: str,
    shelf: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    answers: str,
    kept: list[tuple[str]],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answers))
    monkeypatch.setattr("alembic_online.autogenerate.rename_questions.somebody_is_there", lambda: True)
    project.models(TABLE.format("books", TITLE.replace("title", "name")))
    project.alembic(database, "revision", "--autogenerate", "-m", "rename")
    project.alembic(database, "upgrade", "head")
    assert shelf.execute("SELECT name FROM books").fetchall() == kept


@pytest.mark.parametrize("hint", ["books", "public.books"])
def test_a_hint_finds_the_table_that_moves_with_its_schema_or_without(
    project: Project, database: str, shelf: psycopg.Connection, hint: str
) -> None:
    project.models(TABLE.format("works", f'{TITLE}, schema="archive", info={{"renamed_from": "{hint}"}}'))
    _there_and_back(project, database, shelf, "SELECT title FROM archive.works")


CHAIN = """Table("books", metadata, Column("id", Integer, primary_key=True),
    Column("title", String(20), info={"renamed_from": "name"}),
    Column("name", String(20), info={"renamed_from": "sort"}))"""


def test_a_name_that_is_freed_by_one_rename_is_taken_by_the_next(
    project: Project, database: str, shelf: psycopg.Connection
) -> None:
    shelf.execute("ALTER TABLE books ALTER title DROP NOT NULL, ALTER title DROP DEFAULT, ADD sort varchar(20)")
    shelf.execute("ALTER TABLE books RENAME title TO name; UPDATE books SET sort = 'second'")
    project.models(CHAIN)
    project.alembic(database, "revision", "--autogenerate", "-m", "rename")
    project.alembic(database, "upgrade", "head")
    assert shelf.execute("SELECT title, name FROM books").fetchall() == [("Emma", "second")]
    assert "do not differ" in project.alembic(database, "revision", "--autogenerate", "-m", "again")


def test_a_hint_to_a_name_that_is_taken_is_refused(project: Project, database: str, shelf: psycopg.Connection) -> None:
    shelf.execute("ALTER TABLE books ADD name varchar(20)")
    project.models(TABLE.format("books", 'Column("name", String(20), info={"renamed_from": "title"})'))
    code, stderr = project.alembic.refused(database, "revision", "--autogenerate", "-m", "rename")
    assert (code, "but both are there" in stderr) == (16, True)
