"""Logical replication: a subscriber follows an online change from its first step to its last, and never stops."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.interruption import PATIENT
from tests.alembic_online.recipes.meanwhile import meanwhile
from tests.alembic_online.recipes.state import read_state, same
from tests.alembic_online.runner.processes import until
from tests.servers import Server

BOOKS = "CREATE TABLE books (id integer PRIMARY KEY, pages integer NOT NULL)"
ROWS = "INSERT INTO books (id, pages) SELECT i, i FROM generate_series(1, 50) i"
BY_INDEX = """
    CREATE TABLE books (id integer NOT NULL, pages integer); CREATE UNIQUE INDEX ix_books ON books (id);
    ALTER TABLE books REPLICA IDENTITY USING INDEX ix_books
"""
LISTED = "FOR TABLE books (id, pages)"
PAGES, KEY = (f'op.alter_column("books", "{name}", type_=sa.BigInteger())' for name in ("pages", "id"))
OUT_AND_BACK = f"""op.execute("ALTER PUBLICATION everything DROP TABLE books")
    {PAGES}
    op.execute("ALTER PUBLICATION everything ADD TABLE books (id, pages)")"""
TOTAL = "SELECT count(*), sum(id), sum(pages) FROM books"


def _skip_unless_logical(session: psycopg.Connection) -> None:
    if session.execute("SHOW wal_level").fetchone() != ("logical",):
        pytest.skip("this server keeps no logical WAL")


@contextmanager
def subscribed(publisher: str, subscriber: str) -> Iterator[None]:
    """A subscription to `everything`, whose slot is made by hand: a server would wait for itself."""
    source = urlsplit(publisher)
    slot, host = source.path[1:], parse_qs(source.query).get("host", [source.hostname])[0]
    with psycopg.connect(publisher, autocommit=True) as here, psycopg.connect(subscriber, autocommit=True) as there:
        here.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [slot])
        there.execute(
            f"CREATE SUBSCRIPTION s CONNECTION 'host={host} port={source.port or 5432} dbname={slot} user=postgres'"
            f" PUBLICATION everything WITH (create_slot = false, slot_name = '{slot}')"
        )
        try:
            yield
        finally:
            there.execute("ALTER SUBSCRIPTION s DISABLE")
            there.execute("ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s")
            until(lambda: not _is_active(here, slot))
            here.execute("SELECT pg_drop_replication_slot(%s)", [slot])


def _is_active(session: psycopg.Connection, slot: str) -> bool:
    found = session.execute("SELECT active FROM pg_replication_slots WHERE slot_name = %s", [slot]).fetchone()
    return found == (True,)


def _is_the_same(here: psycopg.Connection, there: psycopg.Connection) -> bool:
    return here.execute(TOTAL).fetchone() == there.execute(TOTAL).fetchone()


@pytest.mark.parametrize(
    ("table", "publication", "change"),
    [
        (BOOKS, "FOR TABLE books", PAGES),
        (BY_INDEX, "FOR TABLE books WHERE (id > 0)", KEY),
        (BOOKS, LISTED, OUT_AND_BACK),
    ],
    ids=[
        "a column",
        "the key by which rows are known",
        "a column that the publication names, as autogenerate writes it",
    ],
)
def test_a_subscriber_follows_the_change_of_a_type_whatever_is_written_between_its_steps(
    project: Project, database: str, server: Server, table: str, publication: str, change: str
) -> None:
    project.revision("001_a", upgrade=change)
    with server.database() as subscriber, psycopg.connect(database, autocommit=True) as here:
        _skip_unless_logical(here)
        here.execute(f"{table}; {ROWS}; CREATE PUBLICATION everything {publication}")
        there = psycopg.connect(subscriber, autocommit=True)
        there.execute(table)
        with there, subscribed(database, subscriber):
            writes = iter(range(1000, 2000))

            def write() -> None:
                here.execute("SET lock_timeout = '20ms'")
                try:
                    here.execute("INSERT INTO books (id, pages) VALUES (%s, 1)", [next(writes)])
                    here.execute("UPDATE books SET pages = pages + 1 WHERE id < 4")
                except psycopg.errors.LockNotAvailable:
                    return  # the migration has just locked it

            with meanwhile(write, "ALTER"), meanwhile(write, "DO"), meanwhile(write, "CREATE"):
                project.alembic.having(**PATIENT)(database, "upgrade", "head")
            assert next(writes) > 1003, "rows were written between its steps"
            here.execute("DELETE FROM books WHERE id = 7; UPDATE books SET pages = 9 WHERE id = 8")
            until(lambda: _is_the_same(here, there))


@pytest.mark.parametrize(
    ("before", "publication", "reason"),
    [
        (BOOKS, "FOR ALL TABLES", "publication everything is FOR ALL TABLES"),
        (BOOKS, "FOR TABLES IN SCHEMA public", "publication everything is FOR TABLES IN SCHEMA public"),
        (f"{BOOKS}; ALTER TABLE books REPLICA IDENTITY FULL", "FOR TABLE books", "everything needs whole rows"),
        (f"{BOOKS}; CREATE SCHEMA s", "FOR TABLE books, TABLES IN SCHEMA s", "everything is FOR TABLES IN SCHEMA s"),
        (
            f"{BOOKS} PARTITION BY RANGE (id); CREATE TABLE books_1 PARTITION OF books DEFAULT",
            "FOR TABLE books",
            "everything sends its partitions by themselves",
        ),
    ],
)
def test_where_a_subscriber_would_be_sent_the_new_column_it_is_refused_before_anything_is_changed(
    project: Project, database: str, before: str, publication: str, reason: str
) -> None:
    project.revision("001_a", upgrade=PAGES)
    with psycopg.connect(database, autocommit=True) as session:
        _skip_unless_logical(session)
        session.execute(f"{before}; {ROWS}; CREATE PUBLICATION everything {publication}")
    there = read_state(database)
    code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
    assert (code, reason in stderr, 'direct = {"books": ' in stderr) == (18, True, True), stderr
    same(there, read_state(database))


@pytest.mark.parametrize(("publication", "said"), [("FOR ALL TABLES", True), ("FOR TABLE books", False)])
def test_whoever_would_be_sent_our_own_tables_is_thought_of(
    project: Project, database: str, publication: str, said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    project.revision("001_a")
    slot = f"SELECT pg_create_logical_replication_slot('{urlsplit(database).path[1:]}', 'pgoutput')"
    with psycopg.connect(database, autocommit=True) as session:
        _skip_unless_logical(session)
        session.execute(f"{BOOKS}; CREATE PUBLICATION everything {publication}")
        session.execute(slot.encode())
        try:
            project.alembic(database, "upgrade", "head")
            project.alembic(database, "downgrade", "base")
        finally:
            session.execute(slot.replace("create_logical", "drop").replace(", 'pgoutput'", "").encode())
    assert caplog.text.count("Publication everything sends the new table public.alembic_history") == int(said)


@pytest.mark.parametrize("small", ["0", "1e9"])
def test_the_index_that_replaces_another_takes_over_the_replica_identity(
    project: Project, database: str, small: str
) -> None:
    again = 'op.create_index("ix_books", "books", ["pages", "id"], unique=True)'
    project.revision("001_a", upgrade=f'op.drop_index("ix_books", "books")\n    {again}')
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(f"{BY_INDEX}; {ROWS}; ALTER TABLE books ALTER pages SET NOT NULL")
        session.execute("CREATE PUBLICATION everything FOR TABLE books")
        project.alembic.having(MIGRATION_SMALL_TABLE_BYTES=small)(database, "upgrade", "head")
        session.execute("UPDATE books SET pages = 7")  # which is refused without one
        found = session.execute("SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indisreplident").fetchall()
    assert found == [("CREATE UNIQUE INDEX ix_books ON public.books USING btree (pages, id)",)]


@pytest.mark.prove
def test_a_list_that_a_forgotten_try_has_left_is_taken_away(project: Project, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(f"{BOOKS}; {ROWS}; CREATE PUBLICATION everything FOR TABLE books")
        project.revision("001_a", upgrade=PAGES)
        stopped = project.alembic.having(**PATIENT, MIGRATION_BACKFILL_UPGRADE_SECONDS="0")
        assert stopped.refused(database, "upgrade", "head").exit_code == 21
        session.execute("DELETE FROM alembic_history; DROP TABLE alembic_backfill")
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
        assert session.execute("SELECT prattrs FROM pg_publication_rel").fetchall() == [(None,)]
