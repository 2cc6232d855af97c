"""What a half-applied revision remembers, where that is not plain: random values, savepoints, temporary tables."""

from collections.abc import Callable

import psycopg
import pytest

from alembic_online.runner.journal import Journal
from alembic_online.runtime.history import Entry
from tests.alembic_online.project import Project
from tests.alembic_online.runner.clients import Client
from tests.alembic_online.runner.killed import BLOCK, killed
from tests.alembic_online.runner.outcomes import outcomes
from tests.alembic_online.runner.processes import Migrator, until
from tests.servers import with_driver

Start = Callable[..., Migrator]
DRIVERS = pytest.mark.parametrize("driver", ["asyncpg", "psycopg2"])
TABLE = "CREATE TABLE books (id uuid, made timestamptz, title text)"
ROW = "{'id': uuid.uuid4(), 'made': datetime.datetime.now(datetime.UTC), 'title': title}"


def execute(sql: str, parameters: str = "{}") -> str:
    return f'op.get_bind().execute(sa.text("{sql}"), {parameters})'


@DRIVERS
def test_rows_with_random_ids_and_times_that_are_committed_are_not_inserted_again(
    project: Project, database: str, watcher: psycopg.Connection, start: Start, driver: str
) -> None:
    watcher.execute(TABLE)
    insert = execute("INSERT INTO books VALUES (:id, :made, :title)", ROW)
    loop = ("import datetime, uuid", BLOCK, "    for title in 'abc':", f"        {insert}")
    killed(project, with_driver(database, driver), start, *loop, "    DIE")
    project.alembic(with_driver(database, driver), "upgrade", "head")
    assert watcher.execute("SELECT title FROM books ORDER BY 1").fetchall() == [("a",), ("b",), ("c",)]


@DRIVERS
def test_rows_that_a_loop_finds_by_their_ids_are_each_done_once_although_it_finds_fewer_after_the_crash(
    project: Project, database: str, watcher: psycopg.Connection, start: Start, driver: str
) -> None:
    watcher.execute(TABLE)
    watcher.execute("INSERT INTO books SELECT gen_random_uuid(), NULL, 'old' FROM generate_series(1, 5)")
    lines = [
        "    find = sa.text(\"SELECT id FROM books WHERE title = 'old' ORDER BY id\")",
        "    for number, id in enumerate(op.get_bind().scalars(find).all()):",
        "        " + execute("UPDATE books SET title = 'new' WHERE id = :id", "{'id': id}"),
        "        if number == 1:",
        "            DIE",
    ]
    killed(project, with_driver(database, driver), start, BLOCK, *lines)
    assert watcher.execute("SELECT count(*) FROM books WHERE title = 'new'").fetchone() == (2,)
    project.alembic(with_driver(database, driver), "upgrade", "head")
    assert watcher.execute("SELECT DISTINCT title FROM books").fetchall() == [("new",)]


@pytest.mark.parametrize(("first", "then"), [("asyncpg", "psycopg2"), ("psycopg2", "psycopg"), ("psycopg", "asyncpg")])
def test_the_run_after_the_crash_may_use_the_other_driver(
    project: Project, database: str, watcher: psycopg.Connection, start: Start, first: str, then: str
) -> None:
    watcher.execute("CREATE TABLE notes (id integer, share text)")
    insert = execute("INSERT INTO notes VALUES (:id, '5 %')", "{'id': 1}")
    index = 'op.create_index("ix", "notes", ["id"], postgresql_concurrently=True)'
    killed(project, with_driver(database, first), start, BLOCK, f"    {insert}", index, "DIE")
    project.alembic(with_driver(database, then), "upgrade", "head")
    assert watcher.execute("SELECT * FROM notes").fetchall() == [(1, "5 %")]
    assert outcomes(watcher) == ["interrupted", "done"]


VALUES = "7, true, 'it''s 5 %', NULL, 1.50, gen_random_uuid(), '2026-01-02 03:04:05+00', ARRAY['a', 'b']"


@DRIVERS
def test_rows_that_a_committed_statement_returned_are_returned_again(
    project: Project, database: str, watcher: psycopg.Connection, start: Start, driver: str
) -> None:
    columns = "id bigint, b boolean, t text, n integer, d numeric, u uuid, at timestamptz, a text[]"
    watcher.execute(f"CREATE TABLE books ({columns}); CREATE TABLE seen (was text)")
    insert = execute(f"INSERT INTO books VALUES ({VALUES}) RETURNING *")
    lines = [f"row = {insert}.one()", execute("INSERT INTO seen VALUES (:row)", "{'row': repr(tuple(row))}")]
    killed(project, with_driver(database, driver), start, BLOCK, *(f"    {line}" for line in lines), "DIE")
    project.revision("001_a", upgrade="\n    ".join([BLOCK, *(f"    {line}" for line in [*lines, *lines[1:]])]))
    project.alembic(with_driver(database, driver), "upgrade", "head")
    first, again = watcher.execute("SELECT was FROM seen").fetchall()
    assert first == again
    assert watcher.execute("SELECT count(*) FROM books").fetchone() == (1,)


@DRIVERS
def test_objects_that_a_committed_flush_has_given_their_ids_have_them_again(
    project: Project, database: str, watcher: psycopg.Connection, start: Start, driver: str
) -> None:
    watcher.execute("CREATE TABLE books (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), title text)")
    watcher.execute("CREATE TABLE pages (book uuid REFERENCES books, number integer)")
    lines = [
        "books = sa.table('books', sa.column('id', sa.Uuid), sa.column('title', sa.Text))",
        BLOCK,
        "    rows = [{'title': title} for title in 'ab']",
        "    ids = op.get_bind().scalars(sa.insert(books).returning(books.c.id), rows).all()",
        "    for number, id in enumerate(ids):",
        "        " + execute("INSERT INTO pages VALUES (:id, :number)", "{'id': id, 'number': number}"),
        "        if number == 0:",
        "            DIE",
    ]
    killed(project, with_driver(database, driver), start, *lines)
    project.alembic(with_driver(database, driver), "upgrade", "head")
    assert watcher.execute("SELECT count(*) FROM books").fetchone() == (2,)
    assert watcher.execute("SELECT count(DISTINCT book), count(*) FROM pages").fetchone() == (2, 2)


def test_rows_that_cannot_be_kept_are_asked_for_in_a_sentence(
    project: Project, database: str, watcher: psycopg.Connection, start: Start
) -> None:
    watcher.execute("CREATE TABLE books (facts jsonb)")
    insert = execute("INSERT INTO books VALUES ('{{}}') RETURNING facts").replace("{{}}", "{}")
    killed(project, database, start, BLOCK, f"    {insert}.one()", "    DIE")
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, "committed a statement whose rows it needs again: INSERT INTO books" in stderr) == (18, True)


def test_an_edited_half_applied_revision_runs_what_is_new_passes_over_what_is_committed_and_says_so(
    project: Project, database: str, watcher: psycopg.Connection, start: Start
) -> None:
    first, second = (f"    op.execute('CREATE TABLE {name} (id integer)')" for name in ("shelves", "books"))
    killed(project, database, start, BLOCK, first, "    DIE", second)
    project.revision("001_a", upgrade="\n    ".join([BLOCK, "    op.execute('CREATE TABLE films ()')", first, second]))
    said = project.alembic(database, "upgrade", "head")
    assert "001_a.py was edited since it was interrupted: statements that are committed already are passed over" in said
    tables = "SELECT count(*) FROM pg_class WHERE relname IN ('shelves', 'books', 'films')"
    assert watcher.execute(tables).fetchone() == (3,)


def test_one_that_was_not_edited_says_no_such_thing(project: Project, database: str, start: Start) -> None:
    killed(project, database, start, BLOCK, "    op.execute('CREATE TABLE a ()')", "    DIE")
    assert "was edited" not in project.alembic(database, "upgrade", "head")


@pytest.mark.parametrize("make", ["CREATE TEMPORARY TABLE moved (id integer)", "SELECT 1 AS id INTO TEMP moved"])
@pytest.mark.parametrize("lines", [("op.execute('{}')", BLOCK, "    pass"), (BLOCK, "    op.execute('{}')")])
def test_a_temporary_table_that_would_outlive_a_commit_in_the_middle_is_refused_before_it(
    project: Project, database: str, lines: tuple[str, ...], make: str
) -> None:
    body = ["op.execute('CREATE TABLE books ()')", *(line.format(make) for line in lines)]
    project.revision("001_a", upgrade="\n    ".join(body))
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, "001_a has the temporary moved and leaves its transaction" in stderr) == (18, True)
    assert "make it an ordinary table" in stderr


@pytest.mark.parametrize("drop", ["ON COMMIT DROP')", "'); op.execute('DROP TABLE moved')"])
def test_a_temporary_table_that_goes_before_the_commit_is_fine(project: Project, database: str, drop: str) -> None:
    project.revision("001_a", upgrade=f"op.execute('CREATE TEMP TABLE moved (id integer) {drop}\n    {BLOCK} pass")
    project.alembic(database, "upgrade", "head")


def test_a_temporary_table_that_is_named_below_the_commit_with_which_it_goes_is_refused_before_it(
    project: Project, database: str, watcher: psycopg.Connection
) -> None:
    watcher.execute("CREATE TABLE books (id integer PRIMARY KEY, pages integer); INSERT INTO books VALUES (1, 7)")
    lines = [
        "op.execute('CREATE TEMP TABLE moved ON COMMIT DROP AS SELECT id, pages * 2 AS n FROM books')",
        "op.execute('UPDATE books SET pages = moved.n FROM moved WHERE moved.id = books.id')",
        "op.create_index('ix_pages', 'books', ['pages'])",
    ]
    project.revision("001_a", upgrade="\n    ".join([*lines, lines[1]]))
    project.revision("001_b", upgrade="\n    ".join(lines))
    code, stderr = project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0").refused(database, "upgrade", "001_a")
    assert (code, "001_a has the temporary moved and leaves its transaction" in stderr) == (18, True)
    assert watcher.execute("SELECT pages FROM books").fetchone() == (7,)
    project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0")(database, "upgrade", "001_b")
    assert watcher.execute("SELECT pages FROM books").fetchone() == (14,)


def test_a_temporary_table_in_a_revision_that_stays_in_its_transaction_is_fine(project: Project, database: str) -> None:
    project.revision("001_a", upgrade="op.execute('CREATE TEMP TABLE moved (id integer)')")
    project.alembic(database, "upgrade", "head")


def test_a_savepoint_that_the_revision_rolls_back_itself_goes_the_same_way_after_a_crash(
    project: Project, database: str, watcher: psycopg.Connection, start: Start
) -> None:
    watcher.execute("CREATE TABLE books (id integer PRIMARY KEY, title text); INSERT INTO books VALUES (1, 'old')")
    lines = [
        "try:",
        "    with op.get_bind().begin_nested():",
        "        " + execute("INSERT INTO books VALUES (2, 'undone')"),
        "        " + execute("INSERT INTO books VALUES (1, 'new')"),
        "except sa.exc.IntegrityError:",
        "    " + execute("UPDATE books SET title = title || ' and new'"),
    ]
    index = 'op.create_index("ix", "books", ["title"], postgresql_concurrently=True)'
    killed(project, database, start, *lines, index, "DIE")
    project.alembic(database, "upgrade", "head")
    assert watcher.execute("SELECT * FROM books").fetchall() == [(1, "old and new")]
    assert outcomes(watcher) == ["interrupted", "done"]


def test_a_lock_that_went_with_its_savepoint_is_waited_for_again_without_queueing(
    project: Project, database: str, watcher: psycopg.Connection, start: Start
) -> None:
    watcher.execute("CREATE TABLE books (id integer); CREATE TABLE gate (id integer)")
    add = "op.execute('ALTER TABLE books ADD COLUMN x integer')"
    wait = "op.get_bind().execute(sa.text('SELECT pg_sleep(0.01) FROM gate')).all()"
    lines = ["nested = op.get_bind().begin_nested()", add, "nested.rollback()"]
    reread = f"while not {wait}:\n        pass"
    project.revision("001_a", upgrade="\n    ".join([*lines, reread, add]))
    with Client(database, "SELECT count(*) FROM books", patient=False).asking() as client:
        running = start(project, database, "upgrade", "head")
        step = "SELECT 1 FROM alembic_history WHERE step LIKE '1: ALTER%'"
        until(lambda: watcher.execute("SELECT to_regclass('alembic_history')").fetchone() != (None,))
        until(lambda: watcher.execute(step).fetchone())
        client.goes_on()
        with psycopg.connect(database) as holder:
            holder.execute("SELECT * FROM books")
            watcher.execute("INSERT INTO gate VALUES (1)")
            running.says("Waiting")
            client.goes_on()
        assert running.exit_code() == 0, running.output
        assert client.error is None


def test_what_two_operations_say_in_the_same_words_is_not_mistaken_though_one_is_passed_over() -> None:
    entry = Entry(1, "001_a", "upgrade")
    first = Journal(entry)
    with first.operation("a type of authors"):
        first.add(first.key("DROP CONSTRAINT fk", None, has_read=False), 0)
    first.commit()
    again = Journal(entry)
    with again.operation("a type of authors"):
        pass  # the catalogue has said that all of it is done
    for words in ("a type of books", "a type of authors"):
        with again.operation(words):
            assert again.rows(again.key("DROP CONSTRAINT fk", None, has_read=False)) is None
    assert again.rows(again.key("DROP CONSTRAINT fk", None, has_read=False)) is None


def test_a_commit_that_fails_keeps_nothing_and_all_of_it_runs_again(
    project: Project, database: str, watcher: psycopg.Connection
) -> None:
    watcher.execute(
        """
        CREATE TABLE books (id integer); CREATE SEQUENCE tries;
        CREATE FUNCTION deadlock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF nextval('tries') = 1 THEN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END IF;
          RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER checked AFTER INSERT ON books DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION deadlock()
        """
    )
    leaves = "with op.get_context().autocommit_block():\n        op.execute('ANALYZE books')"
    project.revision("001_a", upgrade=f"op.execute('INSERT INTO books VALUES (1)')\n    {leaves}")
    project.alembic(database, "upgrade", "head")
    assert watcher.execute("SELECT count(*) FROM books").fetchone() == (1,)
    assert watcher.execute("SELECT outcome, retries FROM alembic_history").fetchall() == [("done", 1)]
