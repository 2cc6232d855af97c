"""A revision that fails leaves what plain Alembic leaves, or less: nothing is committed for what is bound to fail."""

from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.interruption import PATIENT

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
        (
            'op.create_check_constraint("ck_books", "books", "id > -1")',
            '"ck_books" for relation "books" already exists',
        ),
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


ADD = 'op.add_column("books", sa.Column("year", sa.Integer))'


def test_a_table_that_is_not_free_for_the_cut_over_is_named_and_nothing_is_done(
    project: Project, database: str, watcher: psycopg.Connection
) -> None:
    watcher.execute(BOOKS)
    project.revision("001_a", upgrade=ADD)
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE books IN ROW EXCLUSIVE MODE")
        code, stderr = project.alembic.having(**PATIENT, MIGRATION_TOTAL_LOCK_TIMEOUT="0.3").refused(
            database, "upgrade", "head"
        )
    assert (code, "within 0.3 s; nothing of 001_a was changed." in stderr) == (17, True), stderr
    assert watcher.execute("SELECT journal FROM alembic_history").fetchall() == [([],)]


def test_a_staged_lock_that_is_refused_once_is_taken_the_next_time_and_all_is_done(
    project: Project, database: str, watcher: psycopg.Connection
) -> None:
    watcher.execute(BOOKS)
    project.revision("001_a", upgrade=ADD)
    refused: list[str] = []

    def refuse(_connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("LOCK TABLE") and not refused:
            refused.append(statement)
            cursor.execute("DO $$ BEGIN RAISE lock_not_available; END $$")

    event.listen(Engine, "before_cursor_execute", refuse)
    try:
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
    finally:
        event.remove(Engine, "before_cursor_execute", refuse)
    assert refused
    assert watcher.execute("SELECT year, version_num FROM books, alembic_version").fetchall() == [(None, "001_a")]


LISTS = [
    "sa.inspect(bind).get_table_names()",
    "sa.inspect(bind).get_multi_columns()",
    "bind.scalars(sa.text('SELECT relname FROM pg_class')).all()",
    "bind.scalars(sa.text('SELECT table_name FROM information_schema.tables WHERE table_type <> :t'), {'t': ''}).all()",
]


@pytest.mark.parametrize("small", ["0", "1e12"])
@pytest.mark.parametrize("names", LISTS)
def test_a_list_of_names_has_what_the_revision_has_renamed(
    project: Project, database: str, watcher: psycopg.Connection, names: str, small: str
) -> None:
    watcher.execute(BOOKS)
    rename = 'op.execute("ALTER TABLE books RENAME TO volumes")'
    asks = f"bind = op.get_bind()\n    assert 'volumes' in str({names})"
    project.revision("001_a", upgrade=f"{rename}\n    {asks}")
    project.alembic.having(MIGRATION_SMALL_TABLE_BYTES=small)(database, "upgrade", "head")


COPIES_EACH = """bind = op.get_bind()
    found = sa.MetaData()
    found.reflect(bind)
    for name in sorted({*found.tables, *sa.inspect(bind).get_table_names()}):
        op.create_table("copy_of_" + name, *(sa.Column(each.name, each.type) for each in found.tables[name].columns))"""


@pytest.mark.parametrize("small", ["0", "1e12"])
@pytest.mark.parametrize("driver", ["", "+psycopg2"])
def test_a_revision_that_goes_through_all_tables_does_not_find_ours(
    project: Project, database: str, watcher: psycopg.Connection, driver: str, small: str
) -> None:
    watcher.execute(BOOKS)
    project.revision("001_a", upgrade='op.execute("UPDATE books SET id = id")')
    project.revision("002_b", "001_a", COPIES_EACH)
    url = database.replace("postgresql:", f"postgresql{driver}:")
    project.alembic.having(MIGRATION_SMALL_TABLE_BYTES=small, MIGRATION_EXPAND_CONTRACT="on")(url, "upgrade", "head")
    copies = "SELECT relname FROM pg_class WHERE relname ^@ 'copy_of_'"
    copied = {name.removeprefix("copy_of_") for (name,) in watcher.execute(copies)}
    assert copied == {"alembic_version", "authors", "books", "letters"}
