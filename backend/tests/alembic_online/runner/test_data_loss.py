"""A downgrade that destroys data says what, and does it only when somebody agrees."""

import os
from collections.abc import Callable

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.runner.processes import Migrator

Start = Callable[..., Migrator]
BLOCK = "with op.get_context().autocommit_block():\n        "
DROP_TABLE, DROP_COLUMN = 'op.drop_table("books")', 'op.drop_column("shelves", "name")'
BOTH = f"{DROP_COLUMN}; {DROP_TABLE}"


@pytest.fixture
def books(project: Project, database: str, watcher: psycopg.Connection) -> str:
    """The URL of a database at 002_b, with rows that its downgrade drops."""
    watcher.execute("CREATE TABLE books (id integer); CREATE TABLE shelves (id integer, name text)")
    watcher.execute("CREATE FUNCTION drop_books() RETURNS void LANGUAGE plpgsql AS 'BEGIN DROP TABLE books; END'")
    watcher.execute("INSERT INTO books VALUES (1), (2); INSERT INTO shelves VALUES (1, 'one'), (2, NULL)")
    project.revision("001_a")
    project.revision("002_b", parent="001_a", downgrade=BOTH)
    project.alembic(database, "upgrade", "head")
    return database


def at(watcher: psycopg.Connection) -> object:
    return (watcher.execute("SELECT version_num FROM alembic_version").fetchone() or [None])[0]


def rows(watcher: psycopg.Connection) -> object:
    return watcher.execute("SELECT (SELECT count(*) FROM books), (SELECT count(name) FROM shelves)").fetchone()


@pytest.mark.parametrize(
    ("downgrade", "lost"),
    [
        (BOTH, ["table books: 2 rows", "column shelves.name: 1 value"]),
        (BLOCK + DROP_TABLE, ["table books: 2 rows"]),
        (f"{DROP_COLUMN}\n    {BLOCK}{DROP_TABLE}", ["column shelves.name: 1 value"]),
        ('op.execute("TRUNCATE books")', ["table books: 2 rows"]),
        ('op.execute("DELETE FROM books WHERE id > 1 RETURNING id")', ["table books: 1 row"]),
        ('op.execute(sa.table("books", sa.column("id")).delete().where(sa.column("id") == 1))', ["table books: 1 row"]),
        (
            'with op.batch_alter_table("shelves") as batch:\n        batch.drop_column("name")',
            ["shelves.name: 1 value"],
        ),
        ('op.execute("DO $$ BEGIN DROP TABLE books; END $$")', ["table books: 2 rows"]),
        ("""op.execute("DO $$ BEGIN EXECUTE 'DROP TABLE ' || 'books'; END $$")""", ["table books: rows, not counted"]),
        ('op.execute("SELECT drop_books()")', ["table books: rows, not counted"]),
        ('op.execute("WITH x AS (DELETE FROM books RETURNING id) SELECT count(*) FROM x")', ["table books: 2 rows"]),
        ('op.execute("WITH x AS (SELECT 1 AS id) DELETE FROM books USING x WHERE books.id = x.id")', ["books: 1 row"]),
        (
            'op.execute("MERGE INTO books b USING shelves s ON b.id = s.id WHEN MATCHED THEN DELETE")',
            ["table books: 2 rows"],
        ),
        ("""op.execute("DO $$ BEGIN EXECUTE format('DELETE FROM %I', 'books'); END $$")""", ["table books: 2 rows"]),
        ('op.execute("UPDATE shelves SET name = NULL WHERE id < 9")', ["column shelves.name: 1 value written over"]),
        (
            'op.backfill("shelves", {"name": "NULL"})',
            ["nothing was changed yet.\n  column shelves.name: 1 value written over"],
        ),
        ('op.backfill("shelves", {"id": "0"}, where="name IS NULL")', ["column shelves.id: 1 value written over"]),
        (BLOCK + 'op.backfill("shelves", {"name": "NULL"})', ["column shelves.name: 1 value written over"]),
        (
            'op.execute("WITH x AS (SELECT 1 AS id) UPDATE shelves SET name = NULL FROM x WHERE x.id = shelves.id")',
            ["column shelves.name: 1 value written over"],
        ),
        (
            'op.execute("UPDATE shelves s SET (id, name) = (SELECT id + 5, NULL FROM books b WHERE b.id = s.id)")',
            ["shelves.id: 2 values", "shelves.name: 1 value"],
        ),
        (
            'op.get_bind().execute(sa.text("UPDATE shelves SET id = :a, name = :b WHERE id = :c"),'
            ' {"a": 7, "b": "x", "c": 1})',
            ["shelves.id: 1 value", "shelves.name: 1 value"],
        ),
        ("""op.execute("UPDATE shelves SET id = 1, name = 'x'")""", ["shelves.id: 1 value", "shelves.name: 1 value"]),
        ("""op.execute("UPDATE shelves SET name = 'gone' || id")""", ["column shelves.name: 1 value written over"]),
        ('op.execute("UPDATE shelves AS s SET name = left(s.name, 2)")', ["column shelves.name: 1 value written over"]),
        ('op.execute("UPDATE shelves SET id = 0 FROM books b WHERE b.id = shelves.id")', ["shelves.id: 2 values"]),
        ('op.execute("UPDATE shelves SET (id, name) = (5, NULL)")', ["shelves.id: 2 values", "shelves.name: 1 value"]),
        (
            'op.execute("UPDATE shelves SET name = left(name, 2)")\n'
            '    op.alter_column("shelves", "name", type_=sa.String(2), postgresql_using="left(name, 2)")',
            ["destroys data, and nothing was changed yet.\n  column shelves.name: 1 value written over\nIf it may go"],
        ),
        (
            'op.execute("CREATE TABLE kept AS TABLE books WITH NO DATA; INSERT INTO kept SELECT * FROM books'
            ' WHERE id = 1; DROP TABLE books")',
            ["table books: 1 row"],
        ),
        (
            'op.execute("CREATE TABLE kept (id int); WITH moved AS (DELETE FROM shelves RETURNING *)'
            ' INSERT INTO kept SELECT id FROM moved")',
            ["table shelves: 2 rows"],
        ),
        (
            'op.execute("CREATE TABLE kept (id int); INSERT INTO kept SELECT * FROM books; DROP TABLE books, kept")',
            ["table books: 2 rows"],
        ),
        (
            'op.execute("CREATE TEMP TABLE kept (id int); INSERT INTO kept SELECT * FROM books; DELETE FROM books")',
            ["table books: 2 rows"],
        ),
        (
            'op.execute("ALTER TABLE shelves ADD old text; UPDATE shelves SET old = left(name, 1)")\n    '
            + DROP_COLUMN,
            ["shelves.name: 1 value"],
        ),
    ],
)
def test_without_consent_it_is_refused_with_counts_and_nothing_is_changed(
    project: Project, books: str, watcher: psycopg.Connection, downgrade: str, lost: list[str]
) -> None:
    project.revision("002_b", parent="001_a", downgrade=downgrade)
    code, stderr = project.alembic.having().refused(books, "downgrade", "-1")
    assert code == 19
    assert "The downgrade of 002_b destroys data, and nothing was changed yet." in stderr
    for words in lost:
        assert words in stderr
    assert "MIGRATION_ALLOW_DATA_LOSS=002_b" in stderr
    assert (at(watcher), rows(watcher)) == ("002_b", (2, 1))


@pytest.mark.parametrize("allowed", ["true", "002_b"])
def test_a_script_may_allow_it(project: Project, books: str, watcher: psycopg.Connection, allowed: str) -> None:
    project.alembic.having(MIGRATION_ALLOW_DATA_LOSS=allowed)(books, "downgrade", "-1")
    assert at(watcher) == "001_a"
    assert watcher.execute("SELECT to_regclass('books')").fetchone() == (None,)


def test_what_is_allowed_for_one_revision_is_not_for_another(
    project: Project, books: str, watcher: psycopg.Connection
) -> None:
    assert project.alembic.having(MIGRATION_ALLOW_DATA_LOSS="001_a").refused(books, "downgrade", "-1").exit_code == 19
    assert at(watcher) == "002_b"


@pytest.mark.parametrize("small", ["0", "1000000"])
@pytest.mark.parametrize(
    ("before", "value", "change", "lost"),
    [
        ("numeric(12,2)", "10.55", 'op.alter_column("t", "v", type_=sa.Integer())', "t.v as INTEGER: 2 values change"),
        ("numeric(12,2)", "10.00", 'op.alter_column("t", "v", type_=sa.Integer())', ""),
        ("numeric", "1.23", 'op.execute("ALTER TABLE t ALTER v TYPE numeric(9, 1)")', "t.v as numeric(9, 1): 2 values"),
        ("double precision", "0.1", 'op.alter_column("t", "v", type_=sa.REAL())', "t.v as REAL: 2 values change"),
        ("timestamp", "'2026-01-01 01:02'", 'op.alter_column("t", "v", type_=sa.Date())', "t.v as DATE: 2 values"),
        (
            "text",
            "'abcdef'",
            'op.alter_column("t", "v", type_=sa.String(3), postgresql_using="left(v, 3)")',
            "t.v as VARCHAR(3): 2 values change",
        ),
        ("integer", "7", 'op.alter_column("t", "v", type_=sa.BigInteger())', ""),
    ],
)
def test_values_that_a_new_type_rounds_or_cuts_count_as_lost(
    project: Project,
    database: str,
    watcher: psycopg.Connection,
    before: str,
    value: str,
    change: str,
    lost: str,
    small: str,
) -> None:
    watcher.execute(
        f"CREATE TABLE t AS SELECT CAST(i AS int) AS id, CAST({value} AS {before}) AS v FROM generate_series(1, 2) i"
    )
    watcher.execute("ALTER TABLE t ADD PRIMARY KEY (id)")
    project.revision("001_a", downgrade=change)
    project.alembic(database, "upgrade", "head")
    downgrade = project.alembic.having(MIGRATION_SMALL_TABLE_BYTES=small)
    if lost:
        code, stderr = downgrade.refused(database, "downgrade", "base")
        assert (code, lost in stderr, "nothing was changed yet" in stderr) == (19, True, True), stderr
        query = f"SELECT count(*) FROM t WHERE v = CAST({value} AS {before})"
        assert watcher.execute(query).fetchone() == (2,)
        downgrade = project.alembic.having(MIGRATION_SMALL_TABLE_BYTES=small, MIGRATION_ALLOW_DATA_LOSS="001_a")
    downgrade(database, "downgrade", "base")


@pytest.fixture
def chapters(project: Project, books: str, watcher: psycopg.Connection) -> str:
    """The URL of the same at 003_c, whose downgrade destroys something as well."""
    watcher.execute("CREATE TABLE chapters (id integer); INSERT INTO chapters VALUES (1)")
    project.revision("003_c", parent="002_b", downgrade='op.execute("DROP TABLE chapters")')
    project.alembic(books, "upgrade", "head")
    return books


@pytest.mark.parametrize("allowed", ["", "003_c", " 003_c , 001_a"])
def test_all_of_the_way_is_counted_before_the_first_revision_is_undone(
    project: Project, chapters: str, watcher: psycopg.Connection, allowed: str
) -> None:
    code, stderr = project.alembic.having(MIGRATION_ALLOW_DATA_LOSS=allowed).refused(chapters, "downgrade", "base")
    both = "" if allowed else "003_c and of "
    assert f"The downgrade of {both}002_b destroys data, and nothing was changed yet." in stderr
    assert ("table books: 2 rows" in stderr, "table chapters: 1 row" in stderr) == (True, not allowed)
    assert (code, at(watcher), rows(watcher)) == (19, "003_c", (2, 1))
    listed = stderr.rpartition("MIGRATION_ALLOW_DATA_LOSS=")[2].split()[0]
    project.alembic.having(MIGRATION_ALLOW_DATA_LOSS=listed)(chapters, "downgrade", "base")
    assert at(watcher) is None


def test_what_could_not_be_foreseen_is_said_with_where_the_database_is(
    project: Project, chapters: str, watcher: psycopg.Connection
) -> None:
    project.revision("002_b", parent="001_a", downgrade='name = "books"; op.drop_table(name)')
    allowed = project.alembic.having(MIGRATION_ALLOW_DATA_LOSS="003_c")
    code, stderr = allowed.refused(chapters, "downgrade", "base")
    assert "of 002_b destroys data, and it has stopped before that: the database is at 002_b." in stderr
    assert ("chapters" in stderr, code, at(watcher), rows(watcher)) == (False, 19, "002_b", (2, 1))


def test_an_id_that_no_revision_has_is_refused(project: Project, books: str, watcher: psycopg.Connection) -> None:
    allowed = project.alembic.having(MIGRATION_ALLOW_DATA_LOSS="002_b,002")
    code, stderr = allowed.refused(books, "downgrade", "-1")
    assert (code, "MIGRATION_ALLOW_DATA_LOSS names 002, and no revision" in stderr) == (16, True), stderr
    assert at(watcher) == "002_b"


def test_in_production_only_the_revisions_id_allows_it(
    project: Project, books: str, watcher: psycopg.Connection
) -> None:
    variables = {"MIGRATION_PRODUCTION": "true", "MIGRATION_ALLOW_DATA_LOSS": "true"}
    assert project.alembic.having(**variables).refused(books, "downgrade", "-1").exit_code == 16
    project.alembic.having(**variables | {"MIGRATION_ALLOW_DATA_LOSS": "002_b"})(books, "downgrade", "-1")
    assert at(watcher) == "001_a"


def test_what_is_empty_needs_no_consent(project: Project, books: str, watcher: psycopg.Connection) -> None:
    watcher.execute("DELETE FROM books; UPDATE shelves SET name = NULL")
    project.alembic.having()(books, "downgrade", "-1")
    assert at(watcher) == "001_a"


@pytest.mark.parametrize(
    ("upgrade", "downgrade"),
    [
        (
            "pass",
            'op.alter_column("shelves", "kind", type_=sa.Text()); op.execute("DROP TYPE mood CASCADE")',
        ),
        ("pass", 'op.execute("ALTER TABLE books RENAME TO b"); op.create_table("books"); op.drop_table("books")'),
        ("pass", """op.execute("DO $$ BEGIN ALTER TABLE shelves DROP empty; END $$")"""),
        ("pass", 'op.execute("DELETE FROM shelves WHERE id = 7")'),
        ('op.execute("INSERT INTO shelves (id) VALUES (3)")', 'op.execute("DELETE FROM shelves WHERE id = 3")'),
        ("pass", 'op.alter_column("shelves", "id", type_=sa.BigInteger())'),
        ("pass", """op.execute("UPDATE shelves SET name = 'none' WHERE name IS NULL")"""),
        ("pass", 'op.execute("UPDATE shelves SET id = id + 1")'),
        ("pass", """op.execute("UPDATE shelves SET name = 'the ' || name")"""),
        ("pass", 'op.execute("UPDATE shelves SET name = left(name, 10)")'),
        (
            "pass",
            'op.execute("UPDATE shelves SET name = left(name, 10)")\n'
            '    op.alter_column("shelves", "name", type_=sa.String(10), postgresql_using="left(name, 10)")',
        ),
        ("pass", 'op.execute("ALTER TABLE shelves ADD old text; UPDATE shelves SET old = name")\n    ' + DROP_COLUMN),
        (
            'op.add_column("shelves", sa.Column("state", sa.String, server_default="open", nullable=False))',
            'op.drop_column("shelves", "state")',
        ),
        (
            "pass",
            'op.execute("WITH moved AS (DELETE FROM books WHERE id > 1 RETURNING *)'
            ' INSERT INTO archive SELECT * FROM moved")',
        ),
        ("pass", 'op.execute("INSERT INTO archive SELECT * FROM books WHERE id = 1; DELETE FROM books WHERE id = 1")'),
        ("pass", 'op.execute("INSERT INTO archive (id) SELECT id FROM books")\n    op.drop_table("books")'),
        ("pass", 'op.execute("CREATE TEMPORARY TABLE aside AS SELECT 1; DROP TABLE aside")'),
        ("""op.execute("UPDATE shelves SET name = 'two'")""", """op.execute("UPDATE shelves SET name = 'one'")"""),
        (
            'op.alter_column("books", "id", type_=sa.Numeric(), postgresql_using="id * 1.5")',
            'op.alter_column("books", "id", type_=sa.Integer(), postgresql_using="id / 1.5")',
        ),
    ],
)
def test_where_nothing_is_lost_nobody_is_asked(
    project: Project, books: str, watcher: psycopg.Connection, upgrade: str, downgrade: str
) -> None:
    watcher.execute(
        "CREATE TYPE mood AS ENUM ('calm'); ALTER TABLE shelves ADD kind mood DEFAULT 'calm', ADD empty int;"
        "CREATE TABLE archive (id integer, place integer)"
    )
    project.revision("003_c", parent="002_b", upgrade=upgrade, downgrade=downgrade)
    project.alembic(books, "upgrade", "head")
    project.alembic.having()(books, "downgrade", "-1")


@pytest.mark.prove
def test_the_notes_of_our_own_backfill_are_no_loss(project: Project, books: str, watcher: psycopg.Connection) -> None:
    project.revision("003_c", parent="002_b", downgrade='op.alter_column("shelves", "id", type_=sa.BigInteger())')
    project.alembic(books, "upgrade", "head")
    project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0")(books, "downgrade", "-1")
    assert at(watcher) == "002_b"


@pytest.mark.parametrize("small", ["0", "1000000"])
def test_a_new_type_outside_of_any_transaction_counts(
    project: Project, books: str, watcher: psycopg.Connection, small: str
) -> None:
    change = """op.alter_column("shelves", "name", type_=sa.String(1), postgresql_using="left(name, 1)")"""
    project.revision("003_c", parent="002_b", downgrade=BLOCK + change)
    project.alembic(books, "upgrade", "head")
    downgrade = project.alembic.having(MIGRATION_SMALL_TABLE_BYTES=small)
    code, stderr = downgrade.refused(books, "downgrade", "-1")
    assert (code, "column shelves.name as VARCHAR(1): 1 value changes" in stderr) == (19, True), stderr
    assert rows(watcher) == (2, 1)


def test_a_new_type_is_counted_before_the_first_revision_is_undone(
    project: Project, chapters: str, watcher: psycopg.Connection
) -> None:
    change = """op.alter_column("shelves", "name", type_=sa.String(length=1), postgresql_using="left(name, 1)")"""
    project.revision("002_b", parent="001_a", downgrade=change)
    code, stderr = project.alembic.having(MIGRATION_ALLOW_DATA_LOSS="003_c").refused(chapters, "downgrade", "base")
    assert (code, "of 002_b destroys data, and nothing was changed yet" in stderr) == (19, True), stderr
    assert at(watcher) == "003_c"


def test_an_upgrade_that_drops_needs_no_consent(project: Project, books: str, watcher: psycopg.Connection) -> None:
    project.revision("003_c", parent="002_b", upgrade=BOTH)
    project.alembic.having()(books, "upgrade", "head")
    assert at(watcher) == "003_c"


@pytest.mark.parametrize(
    ("production", "answer", "exit_code", "left_at"),
    [
        (False, "yes", 0, "001_a"),
        (False, "no", 19, "002_b"),
        (False, "", 19, "002_b"),
        (True, "yes", 19, "002_b"),
        (True, "002_b", 0, "001_a"),
    ],
)
def test_on_a_terminal_a_person_is_asked_and_nobody_waits_for_the_answer(
    project: Project,
    books: str,
    watcher: psycopg.Connection,
    start: Start,
    production: bool,
    answer: str,
    exit_code: int,
    left_at: str,
) -> None:
    person, terminal = os.openpty()
    try:
        variables = {"MIGRATION_PRODUCTION": "true" if production else "false"}
        running = start(project, books, "downgrade", "-1", terminal=os.ttyname(terminal), **variables)
        seen = ""
        while "to go on:" not in seen:
            seen += os.read(person, 4096).decode()
        assert "table books: 2 rows" in seen
        assert f"Type {'002_b' if production else 'yes'} to go on:" in seen
        assert rows(watcher) == (2, 1)
        os.write(person, f"{answer}\n".encode())
        assert running.exit_code() == exit_code
    finally:
        os.close(person)
        os.close(terminal)
    assert at(watcher) == left_at


@pytest.mark.parametrize(
    "update",
    [
        """op.execute("UPDATE tickets SET state = 'a' WHERE state = 'new'")""",
        'op.get_bind().execute(sa.text("UPDATE tickets SET state = :a WHERE state = :b"), {"a": "a", "b": "new"})',
        """op.execute("UPDATE tickets SET state = other.v FROM (SELECT 'a' AS v) other WHERE state = 'new'")""",
    ],
)
@pytest.mark.parametrize("apart", [True, False])
def test_a_label_of_a_small_table_that_goes_by_way_of_text_is_asked_for(
    project: Project, database: str, watcher: psycopg.Connection, update: str, apart: bool
) -> None:
    watcher.execute("CREATE TYPE state AS ENUM ('a', 'new'); CREATE TABLE tickets (state state NOT NULL DEFAULT 'a')")
    watcher.execute("INSERT INTO tickets SELECT 'new' FROM generate_series(1, 5); INSERT INTO tickets VALUES ('a')")
    actions = [
        ["ALTER state DROP DEFAULT", "ALTER state TYPE text USING state::text"],
        ["ALTER state TYPE state USING state::state", "ALTER state SET DEFAULT 'a'"],
    ]
    first, last = [[*each] if apart else [", ".join(each)] for each in actions]
    types = ["DROP TYPE state", "CREATE TYPE state AS ENUM ('a')"]
    before, after = (
        [f'op.execute("{alter}")' for alter in lines]
        for lines in (
            [f"ALTER TABLE tickets {each}" for each in first],
            [*types, *(f"ALTER TABLE tickets {each}" for each in last)],
        )
    )
    project.revision("001_a", downgrade="\n    ".join([*before, update, *after]))
    project.alembic(database, "upgrade", "head")
    code, stderr = project.alembic.having().refused(database, "downgrade", "base")
    assert code == 19, stderr
    assert "column tickets.state: 5 values written over" in stderr
    project.alembic.having(MIGRATION_ALLOW_DATA_LOSS="001_a")(database, "downgrade", "base")
    assert watcher.execute("SELECT count(*) FROM tickets WHERE state = 'a'").fetchone() == (6,)
