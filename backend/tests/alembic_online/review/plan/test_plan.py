"""`plan` says what a revision would do here, from what it did to a copy; and changes nothing."""

import io
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from rich.console import Console
from sqlalchemy import create_engine, pool

from alembic_online.postgres.errors import UserError
from alembic_online.postgres.locks import LockMode
from alembic_online.review.plan.empty_columns import empty_columns
from alembic_online.review.plan.rehearsal import Live, is_below, read_live, rehearse
from alembic_online.review.plan.report import FILL_RATE, lines, show
from alembic_online.review.plan.roll_back import apply_and_roll_back
from alembic_online.review.plan.trace import Traced
from alembic_online.revisions.project import Project as OpenProject
from alembic_online.revisions.project import open_project
from tests.alembic_online.project import Project

BOOKS = 'op.create_table("books", sa.Column("id", sa.Integer, primary_key=True), sa.Column("title", sa.Text))'
MANY = (
    'op.add_column("books", sa.Column("n", sa.Integer)); op.create_index("ix", "books", ["title"]);'
    'op.execute("ALTER TABLE books ALTER id TYPE bigint, ADD m int, RESET (fillfactor)");'
    'op.execute("UPDATE books SET n = 1")'
)
UNDO = (
    'op.drop_index("ix"); op.drop_column("books", "n");'
    'op.execute("ALTER TABLE books ALTER id TYPE int, DROP m, RESET (fillfactor)")'
)


@pytest.fixture
def books(project: Project, database: str, monkeypatch: pytest.MonkeyPatch) -> OpenProject:
    """A database at the first of two revisions, with a table of some rows."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("MIGRATION_SMALL_TABLE_BYTES", "0")
    monkeypatch.setenv("MIGRATION_ALLOW_DATA_LOSS", "true")
    project.revision("001_a", None, BOOKS, 'op.drop_table("books")')
    project.revision("002_b", "001_a", MANY, UNDO)
    project.alembic(database, "upgrade", "001_a")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("INSERT INTO books SELECT g, 'x' FROM generate_series(1, 5000) g; ANALYZE books")
    return open_project(Config(project.folder / "alembic.ini"))


def _live(database: str, *heads: str) -> Live:
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
    with engine.connect() as connection:
        return read_live(connection, heads)


def _what(traced: list[Traced]) -> list[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    return [
        (" ".join(each.sql.split()[:3]), str(max(each.locks.values(), default="")), each.rewrites, each.scans)
        for each in traced
    ]


def test_each_statement_with_its_lock_and_its_work(books: OpenProject, database: str) -> None:
    traced = rehearse(books, _live(database, "001_a"), "head")
    assert [each.revision for each in traced] == ["002_b"] * len(traced)
    assert ("ALTER TABLE books", "ACCESS EXCLUSIVE", ("books",), ()) in _what(traced)
    assert ("UPDATE books SET", "", (), ("books",)) in _what(traced)
    assert traced[0].transaction < traced[-1].transaction


def test_a_large_table_is_changed_online_although_the_copy_is_empty(books: OpenProject, database: str) -> None:
    index = next(each for each in rehearse(books, _live(database, "001_a"), "head") if " INDEX " in each.sql)
    assert ("CONCURRENTLY" in index.sql, index.patient) == (True, True)


def test_what_is_destroyed_and_what_blocks_is_said(books: OpenProject, database: str) -> None:
    live = _live(database, "001_a")
    found = lines(rehearse(books, live, "base"), live.tables)
    assert [line.dangers for line in found] == [["destroys books"]]
    assert found[0].traced.locks == {"books": LockMode.ACCESS_EXCLUSIVE}


def test_a_column_that_holds_nothing_is_not_destroyed(books: OpenProject, project: Project, database: str) -> None:
    project.revision(
        "002_b",
        "001_a",
        'op.drop_column("books", "empty"); op.drop_column("books", "double"); op.drop_column("books", "title")',
    )
    engine = create_engine(
        database.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool, isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE books ADD empty int, ADD double int GENERATED ALWAYS AS (id) STORED")
        live = _live(database, "001_a")
        traced = rehearse(open_project(books.config), live, "head")
        found = lines(traced, live.tables, empty_columns(connection, traced))
    assert [danger for line in found for danger in line.dangers] == ["destroys books.title"]


def test_nothing_is_changed_and_nothing_is_left(books: OpenProject, project: Project, database: str) -> None:
    before = _live(database, "001_a").schema.catalogue
    rehearse(books, _live(database, "001_a"), "head")
    assert _live(database, "001_a").schema.catalogue == before
    assert "001_a" in project.alembic(database, "current")


def test_a_plan_can_begin_anywhere_in_the_chain(books: OpenProject, database: str) -> None:
    traced = rehearse(books, _live(database, "001_a"), "head", start="base")
    assert {each.revision for each in traced} == {"001_a", "002_b"}
    assert traced[0].transaction == 1


def test_a_table_that_the_plan_itself_makes_blocks_nobody(books: OpenProject, database: str) -> None:
    traced = rehearse(books, _live(database, "001_a"), "head", start="base")
    assert {line.blocks for line in lines(traced, {}) if line.traced.locks} == {"nobody: new here"}
    traced = rehearse(books, _live(database, "001_a"), "head")
    assert "reads and writes" in {line.blocks for line in lines(traced, {})}


def test_a_table_is_known_by_any_name_and_the_strongest_lock_is_shown(
    books: OpenProject, project: Project, database: str
) -> None:
    statements = (
        "ALTER TABLE public.books ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES books NOT VALID",
        "ALTER TABLE public.books VALIDATE CONSTRAINT fk",
        "ALTER TABLE books RENAME TO volumes",
        "DROP TABLE public.volumes",
    )
    project.revision("002_b", "001_a", "; ".join(f'op.execute("{each}")' for each in statements))
    live = _live(database, "001_a")
    found = lines(rehearse(open_project(books.config), live, "head"), live.tables)
    assert [str(line.lock) for line in found[:2]] == ["SHARE ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE"]
    assert [line.dangers for line in found[2:]] == [[], ["destroys volumes"]]


def test_a_table_that_took_the_place_of_another_is_in_use_as_that_was(
    books: OpenProject, project: Project, database: str
) -> None:
    twice = 'op.add_column("books", sa.Column("twice", sa.Integer, sa.Computed("id * 2", persisted=True)))'
    project.revision("002_b", "001_a", f'{twice}; op.drop_column("books", "title")')
    live = _live(database, "001_a")
    found = lines(rehearse(open_project(books.config), live, "head"), live.tables)
    (swap,) = [line for line in found if "DROP TABLE" in line.traced.sql]
    assert (swap.blocks, found[-1].blocks) == ("reads and writes", "reads and writes")
    assert found[-1].traced.sql == "ALTER TABLE books DROP COLUMN title"
    assert [facts.rows for facts in (found[-1].facts("books"),) if facts] == [5000]
    assert "destroys books.title" in found[-1].dangers


@pytest.mark.parametrize(
    ("upgrade", "words"),
    [
        ('op.backfill("books", {"title": "upper(title)"})', "backfill books_title"),
        ('op.backfill("books", {"title": "id"}, deferred=True)', "backfill books_title, left to its command"),
        ('op.alter_column("books", "id", type_=sa.BigInteger())', "backfill books_id__new"),
    ],
)
def test_a_backfill_is_a_step_in_words_with_the_rows_that_it_walks(
    books: OpenProject, project: Project, database: str, upgrade: str, words: str
) -> None:
    project.revision("002_b", "001_a", upgrade)
    live = _live(database, "001_a")
    found = lines(rehearse(open_project(books.config), live, "head"), live.tables)
    (line,) = [line for line in found if line.traced.sql.startswith("backfill")]
    assert (line.traced.sql, line.blocks, line.seconds) == (words, "nobody: in batches", 5000 / FILL_RATE)
    shown = io.StringIO()
    show(found, Console(file=shown, width=200))
    assert "books (5,000 rows, " in next(each for each in shown.getvalue().splitlines() if words in each)
    assert "alembic_backfill" not in shown.getvalue()


def test_it_can_be_run_on_the_database_itself_and_rolled_back(books: OpenProject, database: str) -> None:
    live = _live(database, "001_a")
    traced = apply_and_roll_back(books, live, "head")
    assert {each.revision for each in traced} == {"002_b"}
    assert ("ALTER TABLE books", "ACCESS EXCLUSIVE", ("books",), ()) in _what(traced)
    assert _live(database, "001_a").schema.catalogue == live.schema.catalogue


def test_what_leaves_its_transaction_cannot_be_rolled_back(books: OpenProject, project: Project, database: str) -> None:
    project.revision("002_b", "001_a", 'op.execute("CREATE INDEX CONCURRENTLY ix ON books (title)")', "pass")
    opened = open_project(Config(project.folder / "alembic.ini"))
    with pytest.raises(UserError, match="cannot be in a transaction"):
        apply_and_roll_back(opened, _live(database, "001_a"), "head")


@pytest.mark.parametrize("way", [rehearse, apply_and_roll_back])
@pytest.mark.parametrize(
    ("target", "sentence"),
    [("nope", "No revision is called 'nope'"), ("", "The name of the revision to go to is empty")],
)
def test_a_revision_that_is_not_there_is_said_in_words(
    books: OpenProject,
    database: str,
    way: Callable[[OpenProject, Live, str], list[Traced]],
    target: str,
    sentence: str,
) -> None:
    with pytest.raises(UserError, match=sentence):
        way(books, _live(database, "001_a"), target)


@pytest.mark.parametrize(
    ("target", "below"),
    [
        *(("-1", True), ("base", True), ("shop@-1", True), ("shop@base", True), ("001_a", True), ("002_b-1", True)),
        *(
            ("+1", False),
            ("head", False),
            ("shop@head", False),
            ("shop@+1", False),
            ("003_c", False),
            ("003_c-1", False),
        ),
        *(("002_b", False), ("001_a+1", False), ("nowhere", False)),
    ],
)
def test_the_way_down_is_known_in_all_of_alembics_words(
    project: Project, monkeypatch: pytest.MonkeyPatch, target: str, below: bool
) -> None:
    """From 002_b of three."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nowhere/x")
    path = project.revision("001_a")
    path.write_text(path.read_text() + "\nbranch_labels = ('shop',)\n")
    project.revision("002_b", "001_a")
    project.revision("003_c", "002_b")
    opened = open_project(Config(project.folder / "alembic.ini"))
    nothing: Any = None  # it is read only where no start is named
    assert is_below(opened, nothing, target, "002_b") is below
