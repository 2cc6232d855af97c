"""A schema that somebody has changed by hand is named before anything runs, and nothing else is called that."""

import signal
from collections.abc import Callable

import psycopg
import pytest

from alembic_online.cli.main import main
from tests.alembic_online.project import Project
from tests.alembic_online.runner import gate
from tests.alembic_online.runner.processes import Migrator

Start = Callable[..., Migrator]
TABLE = 'op.create_table("{0}", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(9)))'
BY_HAND = {
    "ALTER TABLE books ADD note text": "column",
    "ALTER TABLE books ALTER name SET DEFAULT 'x'": "column",
    "CREATE INDEX ON books (name)": "index",
    "DROP TABLE books": "column, constraint, index, sequence, table",
    "ALTER TABLE books ADD CHECK (id > 0)": "constraint",
    "COMMENT ON TABLE books IS 'x'": "comment",
    "CREATE TYPE mood AS ENUM ('good')": "enum",
    "CREATE TABLE stray (id int)": "column, table",
}
NOT_BY_HAND = {
    "rows": "INSERT INTO books VALUES (1, 'a')",
    "statistics": "ANALYZE",
    "a temporary table": "CREATE TEMP TABLE x (id int)",
    "an index built again": "REINDEX TABLE books",
    "a partition": "CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2)",
    "another schema": "CREATE SCHEMA others CREATE TABLE books (id int)",
    "what is left alone": "CREATE TABLE legacy_users (id int PRIMARY KEY)",
    "a grant, where no revision grants": "GRANT SELECT ON books TO pg_monitor",
    "a function, where no revision has one": "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "an extension": "CREATE EXTENSION vector",
    "done and undone": "ALTER TABLE books ADD x int; ALTER TABLE books DROP x",
}


@pytest.fixture
def shelf(project: Project, database: str) -> Project:
    """Two revisions; the database is at the first."""
    project.models('from alembic_online.postgres.declared import *\ndeclare(metadata, LeaveAlone("legacy_*"))')
    events = 'op.execute("CREATE TABLE events (day int) PARTITION BY LIST (day)")'
    project.revision("001_a", upgrade=f"{TABLE.format('books')}; {events}")
    project.revision("002_b", "001_a", TABLE.format("users"), 'op.drop_table("users")')
    project.alembic(database, "upgrade", "001_a")
    return project


@pytest.mark.parametrize("statement", BY_HAND)
def test_what_kind_of_object_was_changed_is_said_before_anything_runs(
    shelf: Project, database: str, watcher: psycopg.Connection, statement: str
) -> None:
    watcher.execute(statement.encode())
    said = shelf.alembic(database, "upgrade", "001_a")
    assert "changed by hand since 001_a was done" in said
    assert f": {BY_HAND[statement]}. See: alembic-online drift" in said
    careful = shelf.alembic.having(MIGRATION_CHANGED_BY_HAND="error")
    code, stderr = careful.refused(database, "upgrade", "head")
    assert (code, BY_HAND[statement] in stderr) == (15, True)
    assert watcher.execute("SELECT to_regclass('users')").fetchone() == (None,)
    assert "by hand" not in shelf.alembic.having(MIGRATION_CHANGED_BY_HAND="ignore")(database, "upgrade", "head")
    assert "by hand" not in careful(database, "upgrade", "head")  # the last step has left it so


@pytest.mark.parametrize("what", NOT_BY_HAND)
def test_what_is_no_schema_of_the_project_is_no_change(
    shelf: Project, database: str, watcher: psycopg.Connection, what: str
) -> None:
    watcher.execute(NOT_BY_HAND[what].encode())
    assert "by hand" not in shelf.alembic.having(MIGRATION_CHANGED_BY_HAND="error")(database, "upgrade", "head")


@pytest.mark.parametrize(
    ("upgrade", "by_hand", "kind"),
    [
        ("GRANT SELECT ON books TO pg_monitor", "REVOKE SELECT ON books FROM pg_monitor", "privileges"),
        ("CREATE VIEW names AS SELECT name FROM books", "DROP VIEW names", "view"),
    ],
)
def test_a_kind_that_a_revision_has_changed_counts_from_then_on(
    shelf: Project, database: str, watcher: psycopg.Connection, upgrade: str, by_hand: str, kind: str
) -> None:
    shelf.revision("002_b", "001_a", f'op.execute("{upgrade}")')
    shelf.alembic(database, "upgrade", "head")
    watcher.execute(by_hand.encode())
    assert f": {kind}. See" in shelf.alembic(database, "upgrade", "head")


def test_every_way_leaves_a_fingerprint_a_stamp_too(shelf: Project, database: str, watcher: psycopg.Connection) -> None:
    shelf.alembic(database, "upgrade", "head")
    shelf.alembic(database, "downgrade", "001_a")
    shelf.alembic(database, "stamp", "001_a")
    rows = watcher.execute("SELECT direction, fingerprint IS NOT NULL FROM alembic_history ORDER BY id").fetchall()
    assert rows == [(way, True) for way in ("upgrade", "upgrade", "downgrade", "stamp")]
    assert "by hand" not in shelf.alembic(database, "upgrade", "001_a")


def test_a_revision_that_is_half_done_is_not_by_hand(
    shelf: Project, database: str, start: Start, watcher: psycopg.Connection
) -> None:
    built = 'op.execute("COMMIT"); op.execute("CREATE INDEX CONCURRENTLY half ON books (name)")'
    shelf.revision("002_b", "001_a", f'{built}; op.execute("{gate.STEP}")')
    with gate.closed(database) as closed:
        running = start(shelf, database, "upgrade", "head")
        closed.noted()
        assert "by hand" not in shelf.alembic(database, "current")
        running.tell(signal.SIGKILL)
    assert watcher.execute("SELECT to_regclass('half') IS NOT NULL").fetchone() == (True,)
    said = shelf.alembic.having(MIGRATION_CHANGED_BY_HAND="error")(database, "upgrade", "head")
    assert ("half" not in said, "by hand" not in said) == (True, True)


def test_a_kill_before_the_fingerprint_leaves_nothing_to_compare_with(
    shelf: Project, database: str, watcher: psycopg.Connection
) -> None:
    watcher.execute("UPDATE alembic_history SET fingerprint = NULL; ALTER TABLE books ADD x int")
    assert "by hand" not in shelf.alembic(database, "upgrade", "head")
    watcher.execute("ALTER TABLE books ADD y int")
    assert "by hand" in shelf.alembic(database, "upgrade", "head")


def test_a_history_of_an_older_release_gets_the_column(
    shelf: Project, database: str, watcher: psycopg.Connection
) -> None:
    watcher.execute("ALTER TABLE alembic_history DROP COLUMN fingerprint")
    assert "001_a" in shelf.alembic(database, "current")
    shelf.alembic(database, "upgrade", "head")
    kept = watcher.execute("SELECT fingerprint FROM alembic_history ORDER BY id DESC LIMIT 1").fetchone()
    assert kept is not None
    assert kept[0]["scope"]["schemas"] == ["public"]


def test_tables_that_the_projects_filter_leaves_out_are_others(
    shelf: Project, database: str, watcher: psycopg.Connection, start: Start
) -> None:
    env = shelf.folder / "env.py"
    filtered = (
        "from alembic import context\nfrom sqlalchemy import create_engine\nfrom alembic_online import online\n"
        'url = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")\n'
        "with create_engine(url).connect() as connection:\n"
        "    context.configure(connection=connection, target_metadata=metadata,\n"
        '        include_object=lambda thing, name, kind, *_: not (kind == "table" and name.startswith("their_")))\n'
        "    with online(context):\n        context.run_migrations()\n"
    )
    env.write_text(
        env.read_text().partition("run_environment(")[0].replace("import run_environment", "import *") + filtered
    )
    for table, said in (("their_things", False), ("our_things", True)):
        watcher.execute(f"CREATE TABLE {table} (id int)".encode())
        running = start(shelf, database, "upgrade", "head")
        assert running.exit_code() == 0
        assert ("by hand" in running.output) is said, running.output


def test_current_says_it_too(shelf: Project, database: str, watcher: psycopg.Connection) -> None:
    shelf.alembic(database, "upgrade", "head")
    assert "by hand" not in shelf.alembic(database, "current")
    watcher.execute("DROP TABLE users")
    assert "changed by hand since 002_b was done" in shelf.alembic(database, "current")


def test_a_backfill_that_is_left_to_its_command_is_not_by_hand(
    shelf: Project, database: str, watcher: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = 'op.add_column("books", sa.Column("upper", sa.Text)); '
    left += 'op.backfill("books", {"upper": "upper(name)"}, name="upper", deferred=True)'
    shelf.revision("002_b", "001_a", left)
    shelf.revision("003_c", "002_b", 'op.require_backfill("upper"); op.drop_column("books", "name")')
    watcher.execute("INSERT INTO books VALUES (1, 'a'), (2, 'b')")
    careful = shelf.alembic.having(MIGRATION_CHANGED_BY_HAND="error")
    assert careful.refused(database, "upgrade", "head").exit_code == 21
    assert "by hand" not in careful(database, "current")
    monkeypatch.chdir(shelf.folder)
    monkeypatch.setenv("DATABASE_URL", database)
    assert main(["backfill", "upper"]) == 0
    assert "by hand" not in careful(database, "current")
    assert "by hand" not in careful(database, "upgrade", "head")
    assert watcher.execute("SELECT upper FROM books ORDER BY id").fetchall() == [("A",), ("B",)]


def test_a_revision_that_failed_as_a_whole_has_left_what_was_there(
    shelf: Project, database: str, watcher: psycopg.Connection
) -> None:
    shelf.revision("002_b", "001_a", f"{TABLE.format('users')}; op.execute('SELECT 1/0')")
    careful = shelf.alembic.having(MIGRATION_CHANGED_BY_HAND="error")
    assert careful.refused(database, "upgrade", "head").exit_code == 18
    assert careful.refused(database, "upgrade", "head").exit_code == 18
    watcher.execute("ALTER TABLE books ADD x int")
    assert careful.refused(database, "upgrade", "head").exit_code == 15
