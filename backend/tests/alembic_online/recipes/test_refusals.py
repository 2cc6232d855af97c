"""What is found before anything is changed, and what has no online way."""

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import BOOKS
from tests.alembic_online.recipes.interruption import PATIENT
from tests.alembic_online.recipes.state import read_state, same

BROKEN = BOOKS + (
    "ALTER TABLE authors ADD stars numeric(6, 2) DEFAULT 1;"
    "UPDATE books SET title = 'title 7', author_id = 99, pages = -1 WHERE id > 298;"
)
LABELS = (
    "CREATE TYPE state AS ENUM ('draft', 'open'); CREATE DOMAIN known AS state;"
    "ALTER TABLE authors ADD was state[], ADD now known; UPDATE authors SET was = '{open, NULL}', now = 'open';"
    "UPDATE authors SET was = '{open, draft}', now = 'draft' WHERE id = 7;"
)
TYPED = "CREATE TYPE pair AS (a integer); CREATE TABLE pairs OF pair; INSERT INTO pairs VALUES (1);"
WITHOUT_LABEL = """op.execute("ALTER TYPE state RENAME TO state_old; ALTER DOMAIN known RENAME TO known_old")
    op.execute("CREATE TYPE state AS ENUM ('open'); CREATE DOMAIN known AS state")
    op.execute("ALTER TABLE authors ALTER {column} TYPE {kind} USING {column}::{text}::{kind}")"""


@pytest.mark.parametrize(
    ("upgrade", "problem", "rows"),
    [
        (
            WITHOUT_LABEL.format(column="was", kind="state[]", text="text[]"),
            "In the way of the new type of authors.was: rows whose value it does not have (1)",
            "By id, was: 7, {open,draft}",
        ),
        (
            WITHOUT_LABEL.format(column="now", kind="known", text="text"),
            "In the way of the new type of authors.now: rows whose value it does not have (1)",
            "By id, now: 7, draft",
        ),
        (
            'op.create_index("uq_a", "books", ["title"], unique=True)',
            "In the way of uq_a on books: values that occur more than once (1)",
            "By title, times: title 7, 3",
        ),
        (
            'op.create_unique_constraint("uq_a", "books", ["title"])',
            "In the way of uq_a on books: values that occur more than once (1)",
            "By title, times: title 7, 3",
        ),
        (
            'op.create_foreign_key("fk_a", "books", "authors", ["author_id"], ["id"])',
            "In the way of fk_a on books: rows that refer to nothing in authors (2)",
            "By author_id: 99; 99",
        ),
        (
            'op.create_check_constraint("ck_a", "books", "pages > 0")',
            "In the way of ck_a on books: rows that break it (2)",
            "By ctid: (",
        ),
        (
            'op.alter_column("authors", "name", nullable=False)',
            "In the way of NOT NULL on authors.name: rows without a value (1)",
            "By id: 5",
        ),
        (
            'op.create_exclude_constraint("ex_a", "books", ("id", "="), using="hash")',
            "An exclusion constraint on books has no online way",
            'direct = {"books": "..."}',
        ),
        (
            'op.add_column("books", sa.Column("twice", sa.Integer, sa.Computed("pages * 2", persisted=True)))',
            "GENERATED ALWAYS AS (pages * 2) STORED rewrites books, and a new table cannot take its place: it has no"
            " primary key, and no other unique key without NULL.",
            'direct = {"books": "..."}',
        ),
        (
            """op.execute("ALTER TABLE pairs NOT OF; ALTER TYPE pair ALTER ATTRIBUTE a TYPE bigint")
    op.alter_column("pairs", "a", type_=sa.BigInteger())
    op.execute("ALTER TABLE pairs OF pair")""",
            "The column pairs.a cannot be rebuilt while it is in use: the table is of the type pair",
            'direct = {"pairs": "why nobody minds"}',
        ),
    ],
)
def test_what_stands_in_the_way_is_named_and_nothing_is_changed(
    project: Project, database: str, upgrade: str, problem: str, rows: str
) -> None:
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(BROKEN + LABELS + TYPED + "UPDATE authors SET name = NULL WHERE id = 5")
    before = read_state(database)
    project.revision("001_a", upgrade=upgrade)
    code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
    assert (code, "Traceback" in stderr) == (18, False), stderr
    assert problem in stderr
    assert rows in stderr
    same(before, read_state(database))


def test_when_the_rows_are_mended_the_same_command_goes_on(project: Project, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(BROKEN)
        index, check = (
            'op.create_index("ix_a", "books", ["title"])',
            'op.create_check_constraint("ck_a", "books", "pages > 0")',
        )
        project.revision("001_a", upgrade=f"{index}\n    {check}")
        project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
        session.execute("UPDATE books SET pages = 1")
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
        valid = "SELECT convalidated FROM pg_constraint WHERE conname = 'ck_a'"
        assert session.execute(valid).fetchall() == [(True,)]
