"""A revision that leaves something unfinished is not stamped, unless it says that it leaves it."""

import psycopg
import pytest

from tests.alembic_online.project import Project

NOT_VALID = "ALTER TABLE books ADD CONSTRAINT ck_books CHECK (id > 0) NOT VALID"
ADD = f'op.execute("{NOT_VALID}")'
# What fails inside the revision is caught there, and leaves its INVALID index.
BUILD = """\
from sqlalchemy.exc import IntegrityError
    try:
        op.create_index("uq_books", "books", ["id"], unique=True, postgresql_concurrently=True)
    except IntegrityError:
        pass"""


@pytest.fixture
def books(database: str, watcher: psycopg.Connection) -> str:
    """The URL of a database with a table whose ids are not unique."""
    watcher.execute("CREATE TABLE books (id integer); INSERT INTO books VALUES (1), (1)")
    return database


def stamped(watcher: psycopg.Connection) -> list[str]:
    return [row[0] for row in watcher.execute("SELECT version_num FROM alembic_version")]


def declare(project: Project, leaves: str) -> None:
    """Write into revision 001_a what it leaves."""
    path = project.folder / "versions" / "001_a.py"
    path.write_text(path.read_text().replace("\n\n\ndef upgrade", f'\nleaves = ["{leaves}"]\n\n\ndef upgrade'))


@pytest.mark.parametrize(
    ("upgrade", "left", "name"),
    [
        (ADD, "NOT VALID constraint ck_books on books", "ck_books"),
        (BUILD, "INVALID index uq_books on books", "uq_books"),
        (
            'op.execute("CREATE TABLE logs (id integer) PARTITION BY RANGE (id)")\n'
            '    op.execute("CREATE TABLE log PARTITION OF logs DEFAULT")\n'
            '    op.execute("CREATE INDEX ix_logs ON ONLY logs (id)")',
            "INVALID index ix_logs on logs",
            "ix_logs",
        ),
    ],
)
def test_what_a_revision_leaves_unfinished_is_refused_and_allowed_where_it_says_so(
    project: Project, books: str, watcher: psycopg.Connection, upgrade: str, left: str, name: str
) -> None:
    project.revision("001_a", upgrade=upgrade)
    code, stderr = project.alembic.refused(books, "upgrade", "head")
    assert code == 18
    assert f"Revision 001_a leaves something unfinished: {left}." in stderr
    assert f'leaves = ["{name}"]' in stderr
    assert stamped(watcher) == []
    declare(project, name)
    project.alembic(books, "upgrade", "head")
    assert stamped(watcher) == ["001_a"]


def test_what_is_finished_by_the_same_revision_is_not_held_against_it(
    project: Project, books: str, watcher: psycopg.Connection
) -> None:
    project.revision("001_a", upgrade=f'{ADD}; op.execute("ALTER TABLE books VALIDATE CONSTRAINT ck_books")')
    project.alembic(books, "upgrade", "head")
    assert stamped(watcher) == ["001_a"]


def test_what_was_there_before_is_not_the_revisions_fault(
    project: Project, books: str, watcher: psycopg.Connection
) -> None:
    watcher.execute(NOT_VALID)
    project.revision("001_a")
    project.alembic(books, "upgrade", "head")
    assert stamped(watcher) == ["001_a"]


def test_what_an_interrupted_try_left_is_the_revisions_fault_although_it_was_there_before_the_next_try(
    project: Project, books: str, watcher: psycopg.Connection
) -> None:
    path = project.revision("001_a", upgrade=f"{ADD}\n    with op.get_context().autocommit_block():\n        1 / 0")
    assert project.alembic.refused(books, "upgrade", "head").exit_code == 18
    path.write_text(path.read_text().replace("1 / 0", "pass"))
    code, stderr = project.alembic.refused(books, "upgrade", "head")
    assert (code, "NOT VALID constraint ck_books on books" in stderr) == (18, True)


def test_a_downgrade_is_held_to_the_same(project: Project, books: str, watcher: psycopg.Connection) -> None:
    project.revision("001_a", downgrade=ADD)
    project.alembic(books, "upgrade", "head")
    assert project.alembic.refused(books, "downgrade", "base").exit_code == 18
    assert stamped(watcher) == ["001_a"]
