"""Promise: an UPDATE that fills what is empty locks the rows of a large table for no longer than a batch takes."""

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import BOOKS, Case
from tests.alembic_online.recipes.conftest import Direct, directly, write
from tests.alembic_online.recipes.interruption import PATIENT, run_interrupted
from tests.alembic_online.recipes.state import read_state, same
from tests.alembic_online.recipes.statements import statements

__all__ = ["directly"]

EMPTY = BOOKS + "ALTER TABLE books ADD PRIMARY KEY (id); UPDATE books SET pages = NULL WHERE id % 3 = 0;"
COUNTED = (
    EMPTY + "CREATE TABLE changes (n integer); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN INSERT INTO changes VALUES (1); RETURN NULL; END $$;"
    "CREATE TRIGGER noting AFTER UPDATE ON books EXECUTE FUNCTION note()"
)
FILL = 'op.execute("UPDATE books SET pages = 0 WHERE pages IS NULL")'
ADD = 'op.add_column("books", sa.Column("code", sa.Text()))'


def case(name: str, *lines: str, before: str = EMPTY) -> Case:
    return Case(name, "\n    ".join(lines), "pass", before)


IN_BATCHES = [
    case("a value, then NOT NULL", FILL, 'op.alter_column("books", "pages", nullable=False)'),
    case(
        "of other columns, in a new one",
        ADD,
        """op.execute("update books set code = upper(title) || '-' || cast(id as text)")""",
        'op.alter_column("books", "code", nullable=False)',
    ),
    case(
        "in parentheses", """op.execute('UPDATE public.books SET "Long Name" = $$x$$ WHERE ("Long Name" IS NULL);')"""
    ),
    case(
        "while a view waits to come back",
        'op.execute("DROP VIEW long_books")',
        FILL,
        'op.create_index("ix_pages", "books", ["pages"])',
        'op.execute("CREATE VIEW long_books AS SELECT id FROM books WHERE pages > 100")',
        before=EMPTY + "CREATE VIEW long_books AS SELECT id FROM books WHERE pages > 100",
    ),
]
VERSIONED = (
    EMPTY + "ALTER TABLE books ADD version integer NOT NULL DEFAULT 0; CREATE FUNCTION turn() RETURNS trigger"
    " LANGUAGE plpgsql AS $$ BEGIN NEW.version := OLD.version + 1; RETURN NEW; END $$;"
    "CREATE TRIGGER turning BEFORE UPDATE ON books FOR EACH ROW EXECUTE FUNCTION turn()"
)
OWED = (
    EMPTY + "CREATE TABLE owners (id integer PRIMARY KEY); ALTER TABLE books ADD owner integer"
    " REFERENCES owners DEFERRABLE INITIALLY DEFERRED"
)
TENANT = (
    EMPTY + "CREATE SCHEMA tenant; CREATE TABLE tenant.books (LIKE books INCLUDING ALL);"
    "INSERT INTO tenant.books SELECT * FROM books"
)
SEEN = 'op.add_column("books", sa.Column("seen", sa.Integer()))'
BY_ALCHEMY = "t = sa.table('books', *map(sa.column, [{2}])); op.execute(t.update().where({0}).values({1}))"
IN_BATCHES += [
    case(
        "more of a condition", """op.execute("UPDATE books SET pages = 0 WHERE pages IS NULL AND (id > 9 OR id < 3)")"""
    ),
    case(
        "several columns, by their conditions",
        """op.execute("UPDATE books SET title = 'x', pages = id + 1 WHERE (pages IS NULL AND title IS NULL)")""",
        before=EMPTY + "UPDATE books SET title = NULL WHERE id % 2 = 0",
    ),
    case(
        "several columns that are new, and a condition of others",
        SEEN,
        ADD,
        """op.execute("UPDATE books SET seen = author_id, code = title WHERE author_id IN (3, 5) OR pages > 100")""",
    ),
    case("by SQLAlchemy", BY_ALCHEMY.format("t.c.pages.is_(None)", "pages=0", '"pages"')),
    case(
        "by SQLAlchemy, in a schema, its values of a type",
        """t = sa.table("books", sa.column("pages"), sa.column("title", sa.String), schema="public")""",
        "found = sa.update(t).where(t.c.pages.is_(None), t.c.title.like('%1%'))",
        "op.execute(found.values(pages=sa.func.length(t.c.title)))",
    ),
    case(
        "a row that gets what it has is touched",
        SEEN,
        """op.execute("UPDATE books SET seen = pages")""",
        before=VERSIONED,
    ),
    case("each row has one turn", SEEN, """op.execute("UPDATE books SET seen = version")""", before=VERSIONED),
]
IN_ONE = [
    case(
        "a column of that name is new in another table",
        'op.create_table("others", sa.Column("id", sa.Integer))',
        'op.add_column("others", sa.Column("title", sa.Text()))',
        """op.execute("UPDATE books SET title = 'x'")""",
    ),
    case(
        "a new column with a default",
        'op.add_column("books", sa.Column("old", sa.Boolean(), server_default=sa.false(), nullable=False))',
        """op.execute("UPDATE books SET old = true")""",
    ),
    case("escaped colons", """op.execute(r"UPDATE books SET title = 'at 12\\:30' WHERE title IS NULL")"""),
    case("what holds for the transaction", 'op.execute("SET LOCAL search_path TO tenant")', FILL, before=TENANT),
    case(
        "what is owed until the commit",
        'op.execute("UPDATE books SET owner = 9 WHERE owner IS NULL")',
        'op.execute("INSERT INTO owners VALUES (9)")',
        before=OWED,
    ),
    case("the key, in another spelling", """op.execute("UPDATE books SET ID = 0 WHERE ID IS NULL")"""),
    case(
        "the time at hand",
        'op.add_column("books", sa.Column("day", sa.Date()))',
        """op.execute("UPDATE books SET day = 'today' WHERE day IS NULL")""",
    ),
    case("values that may be written over", """op.execute("UPDATE books SET pages = 0")"""),
    case("another value each time", """op.execute("UPDATE books SET title = now()::date::text WHERE title IS NULL")"""),
    case("one of two conditions", """op.execute("UPDATE books SET pages = 0 WHERE pages IS NULL OR id > 9")"""),
    case("one of two columns", """op.execute("UPDATE books SET pages = 0, title = '' WHERE pages IS NULL")"""),
    case(
        "a condition within another",
        """op.execute("UPDATE books SET pages = 0 WHERE CASE WHEN true THEN id > 9 AND pages IS NULL AND true END")""",
    ),
    case(
        "of a column that it changes",
        SEEN,
        """op.execute("UPDATE books SET seen = 1, pages = seen WHERE pages IS NULL")""",
    ),
    case(
        "of other rows",
        SEEN,
        """op.execute("UPDATE books SET seen = 1 WHERE author_id IN (SELECT id FROM authors)")""",
    ),
    case(
        "a moment, by SQLAlchemy",
        "import datetime",
        'op.add_column("books", sa.Column("day", sa.DateTime()))',
        BY_ALCHEMY.format("t.c.id > 0", "day=datetime.datetime(2026, 1, 2)", '"id", "day"'),
    ),
    case("in a savepoint", "with op.get_bind().begin_nested():", f"    {FILL}"),
    case("a table without a key", FILL, before=EMPTY + "ALTER TABLE books DROP CONSTRAINT books_pkey"),
    case("a trigger that sees the statement", FILL, before=COUNTED),
    case("a column of the key", ADD, """op.execute("UPDATE books SET id = id + 1000")"""),
]


@pytest.mark.parametrize("change", [*IN_BATCHES, *IN_ONE], ids=str)
def test_it_is_done_in_batches_where_nobody_could_tell(
    project: Project, database: str, change: Case, directly: Direct
) -> None:
    up, _ = directly(change)
    write(project, database, change)
    with statements() as sent:
        # Neither the upgrade's limit for a backfill nor its command has to do with it.
        project.alembic.having(**PATIENT, MIGRATION_BACKFILL_UPGRADE_SECONDS="0")(database, "upgrade", "head")
    batches = [each for each in sent if each.startswith("UPDATE") and "ROW(id) <=" in each]
    assert bool(batches) == (change in IN_BATCHES)
    same(up, read_state(database))


def test_it_goes_on_where_its_session_ended(project: Project, database: str, directly: Direct) -> None:
    up, _ = directly(IN_BATCHES[1])
    write(project, database, IN_BATCHES[1])
    assert run_interrupted(project, database, "upgrade", "head") > 0
    same(up, read_state(database))


def test_what_it_copies_is_not_lost_when_the_other_column_goes(project: Project, database: str) -> None:
    down = f"""{ADD}; op.execute("UPDATE books SET code = title"); op.drop_column("books", "title")"""
    write(project, database, Case("a copy", "pass", down, EMPTY))
    alembic = project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0")
    alembic(database, "upgrade", "head")
    alembic(database, "downgrade", "base")  # nobody is asked
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT code FROM books WHERE id = 7").fetchall() == [("title 7",)]
