"""A stored generated column on a table with rows: a table rebuilt beside the old one, with all that hung on it."""

import psycopg
import pytest
from psycopg import IsolationLevel

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import Case
from tests.alembic_online.recipes.conftest import Direct, both_ways_end_as_directly, the_way_up_converges, write
from tests.alembic_online.recipes.interruption import PATIENT
from tests.alembic_online.recipes.killed import Start, converges_though_killed
from tests.alembic_online.recipes.meanwhile import meanwhile
from tests.alembic_online.recipes.state import read_state, same
from tests.alembic_online.recipes.tables import NUMBERED, TWICE
from tests.servers import Server

BOOKS = """
    CREATE TABLE books (id integer PRIMARY KEY, title text, pages integer);
    INSERT INTO books SELECT i, 'title ' || i, i FROM generate_series(1, 300) i;
"""
RETYPED = """op.drop_index("ix_twice", table_name="books")
    op.execute("ALTER TABLE books DROP COLUMN twice, ALTER pages TYPE {},"
        " ADD COLUMN twice {} GENERATED ALWAYS AS (pages * 2) STORED")
    op.create_index("ix_twice", "books", ["twice"])"""
EVERYTHING = f"""
    CREATE TABLE authors (id integer PRIMARY KEY, name text);
    INSERT INTO authors SELECT i, 'author ' || i FROM generate_series(1, 50) i;
    CREATE TABLE books (
        id integer GENERATED ALWAYS AS IDENTITY (START WITH 5 INCREMENT BY 2) CONSTRAINT pk_books PRIMARY KEY,
        gone text, number serial, "Long Name" varchar(40) COLLATE "C" DEFAULT 'it''s; 7% :x' NOT NULL,
        author integer NOT NULL CONSTRAINT fk_author REFERENCES authors ON DELETE CASCADE,
        next integer CONSTRAINT fk_next REFERENCES books DEFERRABLE INITIALLY DEFERRED,
        pages integer NOT NULL CONSTRAINT ck_pages CHECK (pages > 0), body text STORAGE EXTERNAL COMPRESSION pglz,
        half numeric GENERATED ALWAYS AS (pages / 2.0) STORED, updated_at timestamptz NOT NULL DEFAULT '2020-01-01',
        CONSTRAINT uq_pages UNIQUE NULLS NOT DISTINCT (pages, next) DEFERRABLE INITIALLY DEFERRED
    ) WITH (fillfactor = 80, toast.autovacuum_enabled = false);
    ALTER TABLE books DROP gone;
    ALTER SEQUENCE books_id_seq RENAME TO "numbers of books";
    INSERT INTO books (author, pages) SELECT i % 50 + 1, i FROM generate_series(1, 300) i;
    UPDATE books SET next = id - 2 WHERE id > 5;
    SET CONSTRAINTS ALL IMMEDIATE;
    CREATE TABLE loans (
        book integer CONSTRAINT fk_book REFERENCES books ON DELETE SET NULL ON UPDATE CASCADE, open boolean)
        PARTITION BY LIST (open);
    CREATE TABLE all_loans PARTITION OF loans DEFAULT;
    INSERT INTO loans SELECT id, true FROM books;
    COMMENT ON TABLE books IS 'all of them';
    COMMENT ON COLUMN books.pages IS 'it''s printed';
    COMMENT ON CONSTRAINT pk_books ON books IS 'the key';
    COMMENT ON CONSTRAINT ck_pages ON books IS 'none is empty';
    COMMENT ON CONSTRAINT fk_book ON loans IS 'what''s lent';
    CREATE INDEX ix_pages ON books ((pages * 2), "Long Name") INCLUDE (id) WITH (fillfactor = 70) WHERE pages < 100;
    COMMENT ON INDEX ix_pages IS 'doubled';
    ALTER INDEX ix_pages ALTER COLUMN 1 SET STATISTICS 300;
    CREATE UNIQUE INDEX ix_name ON books (id, lower("Long Name"));
    ALTER TABLE books CLUSTER ON ix_name;
    ALTER TABLE books REPLICA IDENTITY FULL;
    CREATE STATISTICS st_books (ndistinct) ON id, pages FROM books;
    ALTER STATISTICS st_books SET STATISTICS 50;
    COMMENT ON STATISTICS st_books IS 'together';
    ALTER TABLE books ALTER pages SET STATISTICS 500, ALTER pages SET (n_distinct = 40); {NUMBERED};
    GRANT SELECT ON books TO PUBLIC;
    GRANT UPDATE (pages) ON books TO PUBLIC;
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END $$;
    CREATE TRIGGER touch BEFORE UPDATE ON books FOR EACH ROW WHEN (NEW.pages <> 7) EXECUTE FUNCTION touch();
    ALTER TABLE books ENABLE ALWAYS TRIGGER touch;
    CREATE RULE no_title AS ON UPDATE TO books WHERE NEW."Long Name" = '' DO INSTEAD NOTHING;
    ALTER TABLE books ENABLE ROW LEVEL SECURITY;
    CREATE POLICY long_ones ON books FOR SELECT USING (pages > 3);
    CREATE POLICY lent ON loans USING (book IN (SELECT id FROM books));
    CREATE VIEW long_books WITH (security_barrier) AS SELECT id, pages FROM books WHERE pages > 100;
    CREATE VIEW counted AS SELECT b.id, b.pages, b.body, count(*) FROM books b JOIN loans ON book = b.id GROUP BY b.id;
    CREATE VIEW longest AS SELECT l.id, c.count FROM long_books l JOIN counted c USING (id);
    COMMENT ON VIEW long_books IS 'not short';
    GRANT SELECT ON long_books TO PUBLIC;
    CREATE FUNCTION longest_of(books) RETURNS integer STABLE LANGUAGE sql BEGIN ATOMIC SELECT ($1).pages; SELECT 1; END;
    CREATE RULE keep AS ON DELETE TO longest DO INSTEAD NOTHING;
    CREATE PUBLICATION pages FOR TABLE books (id, pages) WHERE (pages > 3);
"""
CASES = [
    Case("a stored generated column", TWICE, 'op.drop_column("books", "twice")', BOOKS),
    Case("on a table with everything that can hang on one", TWICE, 'op.drop_column("books", "twice")', EVERYTHING),
    Case(
        "its expression, by another column",
        'op.drop_column("books", "twice")\n    ' + TWICE.replace("* 2", "* 3"),
        'op.drop_column("books", "twice")\n    ' + TWICE,
        BOOKS + "ALTER TABLE books ADD twice integer GENERATED ALWAYS AS (pages * 2) STORED",
    ),
    Case(
        "written by hand",
        'op.execute("alter table public.books add twice int GENERATED ALWAYS AS (pages * 2) stored NOT NULL")',
        'op.execute("ALTER TABLE books DROP COLUMN twice")',
        BOOKS,
    ),
    Case(
        "in a schema, with names that need quotes, by a key of two columns",
        'op.add_column("Old Books", sa.Column("C d", sa.Text, sa.Computed(\'"A b" || 1\', persisted=True),'
        ' nullable=False), schema="arc hive")',
        'op.drop_column("Old Books", "C d", schema="arc hive")',
        'CREATE SCHEMA "arc hive"; CREATE TABLE "arc hive"."Old Books" ("A b" text NOT NULL, n smallint NOT NULL,'
        ' CONSTRAINT "U k" UNIQUE (n, "A b")); CREATE INDEX "I x" ON "arc hive"."Old Books" (n);'
        """ INSERT INTO "arc hive"."Old Books" SELECT 'it''s ' || i, i % 5 FROM generate_series(1, 90) i""",
    ),
    Case(
        "the type of what it reads, under an index",
        RETYPED.format("bigint USING pages + 1", "bigint"),
        RETYPED.format("integer USING pages - 1", "integer"),
        BOOKS + "ALTER TABLE books ADD twice integer GENERATED ALWAYS AS (pages * 2) STORED;"
        " CREATE INDEX ix_twice ON books (twice); CREATE UNIQUE INDEX ix_with ON books (id, (twice + 1));"
        " CREATE STATISTICS st_twice ON twice, pages FROM books; CREATE VIEW titles AS SELECT id, title FROM books",
    ),
]
LINES = """op.execute("DROP VIEW doubled")
    op.drop_constraint("ck_twice", "books")
    op.drop_constraint("uq_twice", "books")
    op.drop_index("ix_twice", "books")
    op.drop_column("books", "twice")
    op.create_index("ix_name", "authors", ["name"])
    op.alter_column("books", "pages", type_=sa.{0}())
    op.execute("UPDATE authors SET name = name || '.'")
    op.execute("ALTER TABLE books ADD twice {1} GENERATED ALWAYS AS (pages * 2) STORED")
    op.create_check_constraint("ck_twice", "books", "twice > -9")
    op.create_unique_constraint("uq_twice", "books", ["twice", "id"])
    op.create_index("ix_twice", "books", ["twice"])
    op.execute("CREATE VIEW doubled AS SELECT id, twice FROM books")"""
BY_LINES = Case(
    "the type of what it reads, line by line, with others in between and what hangs on it",
    LINES.format("BigInteger", "bigint"),
    LINES.replace("create_index", "drop_index", 1).replace(', ["name"]', "").format("Integer", "integer"),
    CASES[2].before + "; CREATE TABLE authors (name text);"
    "CREATE INDEX ix_twice ON books (twice); CREATE VIEW doubled AS SELECT id, twice FROM books;"
    "ALTER TABLE books ADD CONSTRAINT ck_twice CHECK (twice > -9), ADD CONSTRAINT uq_twice UNIQUE (twice, id)",
)
CASES.append(BY_LINES)
EXPRESSION = Case(
    "its expression, where it is",
    'op.execute("ALTER TABLE public.books ALTER COLUMN twice SET EXPRESSION AS (pages * 3)")',
    'op.execute("ALTER TABLE books ALTER twice SET EXPRESSION AS (pages * 2)")',
    CASES[2].before,
)
_COPIED = "ANALYZE books__new"  # the rows are, and the indexes are made
every_case = pytest.mark.parametrize("case", CASES, ids=str)


@every_case
def test_it_ends_as_the_rewrite_does(project: Project, database: str, case: Case, directly: Direct) -> None:
    both_ways_end_as_directly(project, database, case, directly)


@pytest.mark.prove
def test_an_expression_ends_as_the_rewrite_does(
    project: Project, database: str, directly: Direct, server: Server
) -> None:
    if server.version < 17:
        pytest.skip("SET EXPRESSION is of PostgreSQL 17")
    made = []
    with meanwhile(lambda: made.append("a new table"), before=_COPIED):
        test_it_ends_as_the_rewrite_does(project, database, EXPRESSION, directly)
    assert len(made) == 2


@pytest.mark.prove
def test_stored_and_virtual_columns_of_one_that_gets_another_type(
    project: Project, database: str, directly: Direct, server: Server
) -> None:
    if server.version < 18:
        pytest.skip("PostgreSQL 18 and later")
    case = Case(
        "both kinds of generated columns",
        """op.execute("ALTER TABLE pairs DROP COLUMN v, DROP COLUMN s, ALTER COLUMN a TYPE bigint, ADD COLUMN v bigint"
               " GENERATED ALWAYS AS (a + 1) VIRTUAL, ADD COLUMN s bigint GENERATED ALWAYS AS (a + 2) STORED")""",
        "pass",
        """CREATE TABLE pairs (id integer PRIMARY KEY, a integer, v integer GENERATED ALWAYS AS (a + 1) VIRTUAL,
            s integer GENERATED ALWAYS AS (a + 2) STORED);
        INSERT INTO pairs SELECT i, i FROM generate_series(1, 60) i""",
    )
    up = directly.up(case)
    write(project, database, case)
    project.alembic.having(**PATIENT)(database, "upgrade", "head")
    same(up, read_state(database))


@pytest.mark.prove
@pytest.mark.parametrize("case", [CASES[1], CASES[-1]], ids=str)
def test_it_converges_though_its_session_ends_around_every_step(
    project: Project, database: str, case: Case, directly: Direct
) -> None:
    the_way_up_converges(project, database, case, directly)


@pytest.mark.parametrize(
    "written",
    [
        "UPDATE books SET pages = 7 WHERE id = 8",
        "UPDATE books SET id = id + 1000 WHERE id < 20; INSERT INTO books VALUES (1, 'one', 1)",
        "INSERT INTO books VALUES (0, 'new', 7); DELETE FROM books WHERE id > 290",
        # A unique index sees only the end of this.
        "UPDATE books SET title = 'x' WHERE id = 1; UPDATE books SET title = 'title 1' WHERE id = 2;"
        "UPDATE books SET title = 'title 2' WHERE id = 1",
        "INSERT INTO books VALUES (500, 'x', 1); TRUNCATE books; INSERT INTO books VALUES (3, 'y', 2), (999, 'z', 3)",
    ],
)
@pytest.mark.parametrize("isolation", [IsolationLevel.READ_COMMITTED, IsolationLevel.REPEATABLE_READ], ids=str)
def test_what_is_written_meanwhile_is_there_afterwards(
    project: Project, database: str, written: str, isolation: IsolationLevel
) -> None:
    # An index that is built meanwhile would wait for the end of a REPEATABLE READ transaction.
    unique = "ALTER TABLE books ADD UNIQUE (title)" * (isolation == IsolationLevel.READ_COMMITTED)
    write(project, database, Case("", TWICE, "pass", BOOKS + unique))
    rows = "SELECT id, title, pages FROM books ORDER BY id"
    with psycopg.connect(database) as client:
        client.isolation_level = isolation
        client.execute("SELECT 1")  # the moment that a REPEATABLE READ transaction goes on to see
        expected = []

        def act() -> None:
            client.execute(written)
            expected.extend(client.execute(rows).fetchall())
            client.commit()

        with meanwhile(act, before=_COPIED):
            project.alembic.having(**PATIENT)(database, "upgrade", "head")
        assert client.execute(rows).fetchall() == expected
        assert client.execute("SELECT count(*) FROM books WHERE twice <> pages * 2").fetchone() == (0,)
        assert client.execute("SELECT to_regnamespace('books__new')").fetchone() == (None,)


@pytest.mark.parametrize(
    ("before", "problem"),
    [
        ("CREATE MATERIALIZED VIEW all_books AS SELECT id FROM books", "materialized view all_books"),
        ("CREATE TABLE more () INHERITS (books)", "it inherits, or is inherited from"),
        ("CREATE TABLE pairs (one books, others books[])", "its rows are a type of column pairs.one"),
        ("ALTER TABLE books ADD CHECK (pages < 9) NOT VALID", "constraint books_pages_check is NOT VALID"),
        ("ALTER TABLE books ADD EXCLUDE (id WITH =)", "constraint books_id_excl excludes rows"),
        ("CREATE PUBLICATION everything FOR ALL TABLES", "publication everything of all tables would send the copy"),
        (
            "CREATE FUNCTION worth(books) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT 7';"
            "ALTER TABLE books ADD CHECK (worth(books) > 3)",
            "constraint books.books_check",
        ),
    ],
)
def test_where_a_new_table_cannot_take_its_place_nothing_is_changed(
    project: Project, database: str, before: str, problem: str
) -> None:
    write(project, database, Case("", TWICE, "pass", f"{BOOKS};{before}"))
    there = read_state(database)
    code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
    assert (code, problem in stderr, "Traceback" in stderr) == (18, True, False), stderr
    same(there, read_state(database))


@pytest.mark.prove
def test_a_value_that_cannot_be_computed_stops_it_and_once_mended_it_goes_on(project: Project, database: str) -> None:
    write(project, database, Case("", TWICE.replace("pages * 2", "100 / pages"), "pass", BOOKS))
    with psycopg.connect(database, autocommit=True) as session:
        session.execute("UPDATE books SET pages = 0 WHERE id = 7")
        code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
        assert (code, "division by zero" in stderr) == (18, True), stderr
        assert 'DROP TRIGGER "~note" ON public.books' in stderr
        session.execute("UPDATE books SET pages = 50 WHERE id = 7")
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
        assert session.execute("SELECT twice FROM books WHERE id = 7").fetchone() == (2,)


def test_what_the_table_gets_meanwhile_is_named_and_once_dropped_it_goes_on(project: Project, database: str) -> None:
    write(project, database, Case("", TWICE, "pass", BOOKS))
    with psycopg.connect(database, autocommit=True) as session:
        late = "CREATE INDEX ix_late ON books (title); ALTER TABLE books ADD late integer"
        with meanwhile(lambda: session.execute(late), before=_COPIED):
            code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
        assert (code, "public.books has got: column late, index ix_late" in stderr) == (18, True), stderr
        session.execute("DROP INDEX ix_late; ALTER TABLE books DROP late")
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
        assert session.execute("SELECT count(*) FROM books WHERE twice = pages * 2").fetchone() == (300,)


def test_what_is_written_at_the_last_moment_is_there_afterwards(project: Project, database: str) -> None:
    write(project, database, Case("", TWICE, "pass", BOOKS))
    written = "DELETE FROM books WHERE id = 1; UPDATE books SET pages = 0 WHERE id = 2; INSERT INTO books VALUES (0)"
    with psycopg.connect(database, autocommit=True) as client:
        with meanwhile(lambda: client.execute(written), before="LOCK TABLE public.books IN ACCESS EXCLUSIVE"):
            project.alembic.having(**PATIENT)(database, "upgrade", "head")
        rows = client.execute("SELECT id, pages FROM books WHERE id < 3 ORDER BY id").fetchall()
    assert rows == [(0, None), (2, 0)]


@pytest.mark.prove
def test_it_converges_though_its_process_is_killed_around_every_step(
    project: Project, database: str, directly: Direct, start: Start
) -> None:
    converges_though_killed(start, project, database, CASES[1], directly)
