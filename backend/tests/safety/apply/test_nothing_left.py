"""A revision that fails leaves what plain Alembic leaves, or less: nothing is committed for what is bound to fail."""

import psycopg
import pytest

from tests.safety.online.interruption import PATIENT
from tests.safety.project import Project

BOOKS = """
    CREATE TABLE letters (id integer, text text); INSERT INTO letters VALUES (1, 'not to be lost');
    CREATE TABLE authors (id integer PRIMARY KEY);
    CREATE TABLE books (id integer CONSTRAINT ck_books CHECK (id > 0), title text); INSERT INTO books VALUES (1, 'one');
    CREATE INDEX ix_books ON books (title);
"""


@pytest.mark.parametrize(
    ("fails", "says"),
    [
        ('op.drop_index("nope", table_name="books")', 'index "nope" does not exist'),
        ('op.execute("DROP INDEX nope")', 'index "nope" does not exist'),
        ('op.execute("DROP INDEX CONCURRENTLY nope")', "index nope is not there"),
        ('op.execute("SELECT 1 / 0")', "division by zero"),
        ('op.create_index("ix", "books", ["nope"])', 'column "nope" does not exist'),
        ('op.create_index("ix", "nope", ["id"])', 'relation "nope" does not exist'),
        ('op.create_index("ix_books", "books", ["id"])', 'relation "ix_books" already exists'),
        ('op.create_index("ix", "books", ["nope"], postgresql_concurrently=True)', "column nope of books is not there"),
        ('op.create_check_constraint("ck_books", "books", "id > 1")', '"ck_books" for relation "books" already exists'),
        ('op.create_unique_constraint("uq", "books", ["nope"])', 'column "nope" named in key does not exist'),
        ('op.create_foreign_key("fk", "books", "nope", ["id"], ["id"])', 'relation "nope" does not exist'),
        (
            'op.create_foreign_key("fk", "books", "authors", ["nope"], ["id"])',
            'column "nope" referenced in foreign key',
        ),
        (
            'op.create_foreign_key("fk", "books", "authors", ["id"], ["nope"])',
            'column "nope" referenced in foreign key',
        ),
        ('op.alter_column("books", "nope", nullable=False)', 'column "nope" of relation "books" does not exist'),
        ('op.alter_column("books", "nope", type_=sa.BigInteger)', 'column "nope" of relation "books" does not exist'),
        ('op.execute("ALTER TABLE books ALTER nope SET NOT NULL")', 'column "nope" of relation "books" does not exist'),
        ('op.execute("ALTER TABLE books VALIDATE CONSTRAINT nope")', 'constraint "nope" of relation "books" does not'),
        ('op.add_column("books", sa.Column("title", sa.Integer, sa.Identity()))', 'column "title" of relation "books"'),
    ],
)
def test_what_is_bound_to_fail_undoes_all_that_came_before_it(
    project: Project, database: str, watcher: psycopg.Connection, fails: str, says: str
) -> None:
    watcher.execute(BOOKS)
    project.revision("001_a", upgrade=f'op.drop_table("letters")\n    {fails}')
    code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
    assert (code, says in stderr) == (18, True), stderr
    assert watcher.execute("SELECT text FROM letters").fetchall() == [("not to be lost",)]
    assert watcher.execute("SELECT journal FROM alembic_history").fetchall() == [([],)]


@pytest.mark.parametrize(
    "drop", ['op.drop_index("nope", table_name="books", if_exists=True)', 'op.execute("DROP INDEX IF EXISTS nope")']
)
def test_a_drop_of_an_index_that_is_not_there_commits_nothing(
    project: Project, database: str, watcher: psycopg.Connection, drop: str
) -> None:
    watcher.execute(BOOKS)
    project.revision("001_a", upgrade=f'op.drop_table("letters")\n    {drop}\n    op.execute("SELECT 1 / 0")')
    assert project.alembic.having(**PATIENT).refused(database, "upgrade", "head").exit_code == 18
    assert watcher.execute("SELECT text FROM letters").fetchall() == [("not to be lost",)]


@pytest.mark.parametrize("there", ["", "CREATE INDEX nope ON books (id)"])
def test_the_usual_repair_of_an_interrupted_build_builds_the_index(
    project: Project, database: str, watcher: psycopg.Connection, there: str
) -> None:
    watcher.execute(BOOKS + there)
    drop = 'op.drop_index("nope", table_name="books", if_exists=True)'
    project.revision("001_a", upgrade=f'{drop}\n    op.create_index("nope", "books", ["title"])')
    project.alembic.having(**PATIENT)(database, "upgrade", "head")
    assert watcher.execute("SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'nope%'").fetchall() == [
        ("nope", "CREATE INDEX nope ON public.books USING btree (title)")
    ]
