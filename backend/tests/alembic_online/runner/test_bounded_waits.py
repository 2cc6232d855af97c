"""Whatever holds a table, no client waits longer for it because a migration wants it."""

import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import psycopg
import pytest

from alembic_online.cli.main import main
from alembic_online.postgres.embedded import start_server
from tests.alembic_online.project import Project
from tests.alembic_online.runner.clients import Client
from tests.alembic_online.runner.outcomes import outcomes
from tests.alembic_online.runner.processes import Migrator, until
from tests.servers import Server, ServerDirectory, new_data

Start = Callable[..., Migrator]
TABLES = ("CREATE TABLE shelves (id integer PRIMARY KEY)", "CREATE TABLE books (id integer, shelf integer)")
READ, WRITE = "SELECT count(*) FROM {}", "INSERT INTO {} SELECT WHERE false"
SUE = "LOCK TABLE books IN SHARE UPDATE EXCLUSIVE MODE"
HOLDERS = {
    "idle in transaction": ["SELECT * FROM books"],
    "has written": ["INSERT INTO books VALUES (1)"],
    "long report": ["SELECT *, pg_sleep(600) FROM generate_series(1, 1) LEFT JOIN books ON true"],
    "like an autovacuum": [SUE],
    "one DDL behind another": [SUE, SUE],
}
WANTED = {
    "column": "op.add_column('books', sa.Column('title', sa.Text))",
    "foreign key": "op.create_foreign_key('fk', 'books', 'shelves', ['shelf'], ['id'])",
    "plain index": "op.create_index('ix', 'books', ['shelf'])",
}


@pytest.fixture
def books(database: str, watcher: psycopg.Connection) -> str:
    """The URL of a database with two tables."""
    for table in TABLES:
        watcher.execute(table)
    return database


def session_runs(url: str, statement: str, watcher: psycopg.Connection, stack: ExitStack) -> int:
    """Another session is in a transaction with `statement`, perhaps still in it, until the stack ends; its pid."""
    session = psycopg.connect(url)
    stack.callback(session.close)

    def run() -> None:
        try:
            session.execute(statement)
        except psycopg.errors.AdminShutdown:
            return

    thread = threading.Thread(target=run)
    thread.start()
    stack.callback(thread.join)
    stack.callback(watcher.execute, "SELECT pg_terminate_backend(%s, 5000)", [session.info.backend_pid])
    locks = "SELECT 1 FROM pg_locks WHERE pid = %s AND relation = 'books'::regclass"
    until(lambda: watcher.execute(locks, [session.info.backend_pid]).fetchone())
    return session.info.backend_pid


@contextmanager
def asking(url: str, *tables: str) -> Iterator[list[Client]]:
    """Clients that read and write these tables all the time, and bear no long wait."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(Client(url, request.format(table), patient=False).asking())
            for table in tables
            for request in (READ, WRITE)
        ]


def blockers(url: str, capfd: pytest.CaptureFixture[str]) -> list[tuple[int, str]]:
    """What the verb says of the database: each pid that is in the way, and what somebody behind it wants."""
    with patch.dict(os.environ, DATABASE_URL=url):
        code = main(["blockers", "--json"])
    found = json.loads(capfd.readouterr().out)["blockers"]
    assert code == (1 if found else 0)
    return [(head["pid"], f"{each['mode']} on {each['relation']}") for head in found for each in head["behind"]]


@pytest.mark.parametrize("holder", HOLDERS)
def test_clients_go_on_while_the_migration_waits_and_it_ends_soon_after(
    project: Project,
    books: str,
    watcher: psycopg.Connection,
    start: Start,
    capfd: pytest.CaptureFixture[str],
    holder: str,
) -> None:
    project.revision("001_a", upgrade=WANTED["column"])
    with asking(books, "books") as clients:
        with ExitStack() as stack:
            [holding, *_] = [session_runs(books, statement, watcher, stack) for statement in HOLDERS[holder]]
            running = start(project, books, "upgrade", "head")
            running.says("Waiting")
            assert (holding, "ACCESS EXCLUSIVE on books") in blockers(books, capfd)
            for client in clients:
                client.goes_on()
            assert running.process.is_alive()
        assert running.exit_code() == 0, running.output
        assert [client.error for client in clients if client.error] == []
    waits = watcher.execute("SELECT outcome, lock_waits > 0 FROM alembic_history").fetchall()
    assert waits == [("done", True)]


@pytest.mark.parametrize("wanted", WANTED)
def test_after_the_budget_it_gives_up_names_who_blocks_and_changes_nothing(
    project: Project, books: str, watcher: psycopg.Connection, wanted: str
) -> None:
    project.revision("001_a", upgrade=f"op.execute('CREATE TABLE notes ()'); {WANTED[wanted]}")
    impatient = project.alembic.having(MIGRATION_TOTAL_LOCK_TIMEOUT="0.3")
    with ExitStack() as stack, asking(books, "shelves"):
        pid = session_runs(books, "INSERT INTO books SELECT 1234567890 WHERE 'secret' > ''", watcher, stack)
        code, stderr = impatient.refused(books, "upgrade", "head")
    assert code == 17
    assert re.search(r"Could not lock books \([A-Z ]+\) within 0.3 s; nothing of 001_a was changed.", stderr)
    assert str(pid) in stderr
    assert "secret" not in stderr
    assert "1234567890" not in stderr
    assert "run the same command again" in stderr
    assert watcher.execute("SELECT to_regclass('notes')").fetchone() == (None,)
    assert outcomes(watcher) == ["failed"]


@pytest.mark.parametrize(
    ("wanted", "lock"),
    [
        ("ALTER TABLE loans ATTACH PARTITION loans_1 FOR VALUES FROM (1) TO (9)", "SHARE ROW EXCLUSIVE on books"),
        ("ALTER SEQUENCE numbers INCREMENT BY 5", "SHARE ROW EXCLUSIVE on numbers"),
    ],
)
def test_what_the_statement_does_not_name_and_what_is_no_table_is_waited_for_too(
    project: Project, books: str, watcher: psycopg.Connection, wanted: str, lock: str
) -> None:
    watcher.execute("ALTER TABLE books ADD PRIMARY KEY (id); CREATE SEQUENCE numbers")
    watcher.execute("CREATE TABLE loans (day integer, book integer REFERENCES books) PARTITION BY RANGE (day)")
    watcher.execute("CREATE TABLE loans_1 (day integer, book integer)")
    project.revision("001_a", upgrade=f"op.execute('{wanted}')")
    with ExitStack() as stack, asking(books, "books"):
        session_runs(books, "INSERT INTO books SELECT nextval('numbers')", watcher, stack)
        code, stderr = project.alembic.having(MIGRATION_TOTAL_LOCK_TIMEOUT="0.3").refused(books, "upgrade", "head")
    mode, table = lock.rsplit(" on ", 1)
    said = f"Could not lock {table} ({mode}) within 0.3 s; nothing of 001_a was changed."
    assert (code, said in stderr) == (17, True), stderr


def test_while_it_waits_for_one_table_it_keeps_no_strong_lock_on_another(
    project: Project, books: str, watcher: psycopg.Connection, start: Start
) -> None:
    project.revision("001_a", upgrade=f"op.add_column('shelves', sa.Column('name', sa.Text)); {WANTED['column']}")
    with asking(books, "shelves", "books") as clients:
        with ExitStack() as stack:
            session_runs(books, "SELECT * FROM books", watcher, stack)
            running = start(project, books, "upgrade", "head", MIGRATION_MAX_RETRY_DELAY_SECONDS="0.2")
            running.says("Waiting")
            strong = "SELECT 1 FROM pg_locks WHERE relation = 'shelves'::regclass AND mode = 'AccessExclusiveLock'"
            for client in clients:
                client.goes_on()
                assert watcher.execute(strong).fetchone() is None
        assert running.exit_code() == 0, running.output
        assert [client.error for client in clients if client.error] == []
    assert watcher.execute("SELECT lock_waits > 0 FROM alembic_history").fetchone() == (True,)


def test_a_lock_timeout_runs_the_whole_transaction_again(
    project: Project, books: str, watcher: psycopg.Connection, start: Start
) -> None:
    watcher.execute("INSERT INTO books VALUES (1)")
    watcher.execute("CREATE TABLE notes (id integer); CREATE SEQUENCE tries")
    steps = ["SELECT nextval('tries')", "INSERT INTO notes VALUES (1)", "SET LOCAL lock_timeout = '20ms'"]
    project.revision("001_a", upgrade="; ".join(f'op.execute("{sql}")' for sql in [*steps, "UPDATE books SET id = 2"]))
    with psycopg.connect(books) as holder:
        holder.execute("SELECT * FROM books FOR UPDATE")
        running = start(project, books, "upgrade", "head", MIGRATION_MAX_RETRY_DELAY_SECONDS="0.1")
        # A sequence keeps its value when a transaction is rolled back.
        until(lambda: watcher.execute("SELECT last_value FROM tries").fetchone() >= (3,))  # type: ignore[operator]
    assert running.exit_code() == 0, running.output
    assert watcher.execute("SELECT count(*) FROM notes").fetchone() == (1,)
    assert watcher.execute("SELECT outcome, retries >= 2 FROM alembic_history").fetchall() == [("done", True)]


def test_a_deadlock_runs_the_whole_transaction_again(
    project: Project, books: str, watcher: psycopg.Connection, start: Start
) -> None:
    watcher.execute("INSERT INTO books VALUES (1), (2)")
    watcher.execute("CREATE TABLE notes (id integer)")
    steps = ["INSERT INTO notes VALUES (1)", *(f"UPDATE books SET shelf = 1 WHERE id = {id_}" for id_ in (1, 2))]
    project.revision("001_a", upgrade="; ".join(f'op.execute("{sql}")' for sql in steps))
    with psycopg.connect(books) as other:
        other.execute("SET deadlock_timeout = '60s'")  # so that it is the migration that gives way
        other.execute("UPDATE books SET shelf = 2 WHERE id = 2")
        running = start(project, books, "upgrade", "head")
        until(lambda: watcher.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())
        other.execute("UPDATE books SET shelf = 2 WHERE id = 1")
    assert running.exit_code() == 0, running.output
    assert watcher.execute("SELECT deadlocks > 0 FROM pg_stat_database WHERE datname = current_database()").fetchone()
    assert watcher.execute("SELECT count(*) FROM notes").fetchone() == (1,)
    assert watcher.execute("SELECT id, shelf FROM books ORDER BY id").fetchall() == [(1, 1), (2, 1)]
    assert watcher.execute("SELECT outcome, retries FROM alembic_history").fetchall() == [("done", 1)]


@pytest.fixture
def modest(books: str, server: Server, watcher: psycopg.Connection) -> Iterator[str]:
    """The URL of a role that owns the tables, and may not see what the sessions of others do."""
    watcher.execute("CREATE ROLE modest_migrator LOGIN")
    watcher.execute("GRANT ALL ON SCHEMA public TO modest_migrator")
    watcher.execute("ALTER TABLE books OWNER TO modest_migrator")
    yield books.replace("//postgres:", "//modest_migrator:")
    watcher.execute("DROP OWNED BY modest_migrator")
    watcher.execute("DROP ROLE modest_migrator")


def test_a_role_that_may_not_see_the_sessions_of_others_gets_past_their_short_transactions(
    project: Project, books: str, modest: str
) -> None:
    project.revision("001_a", upgrade=WANTED["column"])
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(Client(books, "SELECT count(*), pg_sleep(0.02) FROM books").asking())
        project.alembic.having(MIGRATION_TOTAL_LOCK_TIMEOUT="10")(modest, "upgrade", "head")


def test_such_a_role_waits_for_a_long_transaction_without_queueing_behind_it(
    project: Project, books: str, modest: str, watcher: psycopg.Connection, start: Start
) -> None:
    project.revision("001_a", upgrade=WANTED["column"])
    with psycopg.connect(books) as holder:
        holder.execute("SELECT * FROM books")
        running = start(project, modest, "upgrade", "head")
        running.says(f"pid {holder.info.backend_pid}")
        running.says("not visible: GRANT pg_read_all_stats TO modest_migrator")
    assert running.exit_code() == 0, running.output
    assert watcher.execute("SELECT outcome, lock_waits, retries FROM alembic_history").fetchall() == [("done", 1, 0)]


@pytest.fixture
def vacuuming(server_directory: ServerDirectory) -> Iterator[tuple[str, Path]]:
    """A server of the test's own whose autovacuum starts within a second: its URL and its log."""
    settings = {"fsync": "off", "autovacuum_naptime": "1s", "log_autovacuum_min_duration": "0"}
    with server_directory() as directory:
        running = start_server(new_data(directory), temporary=True, settings=settings)
        yield running.get_uri(), directory / "data" / "log"
        running.cleanup()


@pytest.mark.parametrize(
    ("books", "vacuumed"),
    [
        pytest.param("CREATE TABLE books (id integer)", "books", marks=[pytest.mark.prove]),
        (
            "CREATE TABLE books (id integer) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF books DEFAULT",
            "part",
        ),
    ],
)
def test_a_real_autovacuum_gives_way_and_no_client_notices(
    project: Project, vacuuming: tuple[str, Path], books: str, vacuumed: str
) -> None:
    url, log = vacuuming
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(
            f"{books}; ALTER TABLE {vacuumed} SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,"
            " autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)"
        )
        session.execute("INSERT INTO books SELECT generate_series(1, 50000); DELETE FROM books WHERE id % 2 = 0")
        held = f"SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE relation = '{vacuumed}'::regclass"
        until(lambda: session.execute(f"{held} AND backend_type = 'autovacuum worker'").fetchone())
        project.revision("001_a", upgrade=WANTED["column"])
        with asking(url, "books") as clients:
            project.alembic(url, "upgrade", "head")
            assert [client.error for client in clients if client.error] == []
    assert "canceling autovacuum task" in log.read_text()
