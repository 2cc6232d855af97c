"""Which locks an operation holds: none that stops a reader or a writer while it works through the rows."""

from collections.abc import Callable

import psycopg
import pytest

from alembic_online.postgres.locks import LockMode
from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import BOOKS
from tests.alembic_online.recipes.interruption import PATIENT
from tests.alembic_online.recipes.noted_locks import NOTED
from tests.alembic_online.recipes.tables import TWICE
from tests.alembic_online.runner import gate
from tests.alembic_online.runner.clients import Client
from tests.alembic_online.runner.processes import Migrator, until
from tests.servers import Server

# Work on a row that takes as long as the test wants, once the online way is in its long step.
_WORKS = (
    "EXISTS (SELECT FROM pg_constraint WHERE NOT convalidated)"
    " OR EXISTS (SELECT FROM pg_index WHERE NOT indisvalid) AND current_query() LIKE '%CONCURRENTLY%'"
)
_LOOP = gate.STEP.removeprefix("DO $$ BEGIN ").removesuffix(" END $$")
SLOW = (
    "CREATE FUNCTION slow(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS"
    f" $f$ BEGIN IF $1 = 1 AND ({_WORKS}) THEN {_LOOP} END IF; RETURN $1; END $f$"
)
_AT_WORK = """
    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
    AND (query LIKE 'CREATE INDEX CONCURRENTLY%' OR query LIKE '%VALIDATE CONSTRAINT%') AND wait_event_type = 'Timeout'
"""
_MODES = """
    SELECT DISTINCT mode FROM pg_locks WHERE pid = %s AND relation = 'books'::regclass AND granted
    AND mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
"""


@pytest.mark.parametrize(
    "upgrade",
    [
        'op.create_index("ix_a", "books", [sa.text("slow(id)")])',
        'op.create_index("ix_a", "books", ["title"], postgresql_where=sa.text("slow(id) > 0"))',
        'op.create_check_constraint("ck_a", "books", "slow(id) > 0")',
    ],
)
def test_only_a_lock_that_no_client_notices_is_held_while_the_rows_are_read(
    project: Project, database: str, start: Callable[..., Migrator], upgrade: str
) -> None:
    project.revision("001_a", upgrade=upgrade)
    with psycopg.connect(database, autocommit=True) as session, gate.closed(database) as closed:
        session.execute(BOOKS)
        session.execute(SLOW)
        running = start(project, database, "upgrade", "head", **PATIENT)
        pid = until(lambda: session.execute(_AT_WORK).fetchall())[0][0]
        with Client(database, "UPDATE books SET pages = pages + 1 WHERE id = 2").asking() as client:
            client.goes_on()
            assert running.process.is_alive()
            assert session.execute(_MODES, [pid]).fetchall() == [("ShareUpdateExclusiveLock",)]
        closed.open()
        assert running.exit_code() == 0, running.output


Locks = list[tuple[str, dict[str, LockMode]]]


def locks_of(project: Project, url: str, upgrade: str, before: str) -> Locks:
    """Each step with DDL, and the strongest lock that it held on each of the two tables."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(f"{before};{NOTED}")
        project.revision("001_a", upgrade=upgrade)
        project.alembic.having(**PATIENT)(url, "upgrade", "head")
        rows = session.execute("SELECT step, relation, mode FROM noted ORDER BY place").fetchall()
    found: dict[str, dict[str, LockMode]] = {}
    for step, relation, mode in rows:
        strongest = found.setdefault(step, {})
        strongest[relation] = max(LockMode.parse(mode), strongest.get(relation, LockMode.ACCESS_SHARE))
    return list(found.items())


def held(locks: Locks, words: str) -> dict[str, LockMode]:
    """The locks of the one step that has these words."""
    (found,) = [modes for step, modes in locks if words in step]
    return found


def test_a_foreign_key_stops_writers_for_an_instant_and_nobody_while_the_rows_are_read(
    project: Project, database: str
) -> None:
    key = 'op.create_foreign_key("fk_a", "books", "authors", ["author_id"], ["id"])'
    locks = locks_of(project, database, key, BOOKS)
    both = dict.fromkeys(("books", "authors"), LockMode.SHARE_ROW_EXCLUSIVE)
    assert held(locks, "NOT VALID") == both
    assert held(locks, "VALIDATE") == {"books": LockMode.SHARE_UPDATE_EXCLUSIVE, "authors": LockMode.ROW_SHARE}


def test_not_null_stops_clients_for_instants_and_nobody_while_the_rows_are_read(
    project: Project, database: str, server: Server
) -> None:
    locks = locks_of(project, database, 'op.alter_column("books", "title", nullable=False)', BOOKS)
    assert held(locks, "NOT VALID") == {"books": LockMode.ACCESS_EXCLUSIVE}
    assert held(locks, "VALIDATE") == {"books": LockMode.SHARE_UPDATE_EXCLUSIVE}
    # Up to PostgreSQL 17 SET NOT NULL and the end of the CHECK come after that, and read no row.
    instants = [modes for step, modes in locks if "VALID" not in step]
    assert instants == [{"books": LockMode.ACCESS_EXCLUSIVE}] * (0 if server.version >= 18 else 2)


def test_a_new_table_is_made_and_filled_under_locks_that_nobody_notices(project: Project, database: str) -> None:
    before = BOOKS + (
        "ALTER TABLE books ADD PRIMARY KEY (id), ADD FOREIGN KEY (author_id) REFERENCES authors;"
        "CREATE INDEX ix_title ON books (title)"
    )
    locks = locks_of(project, database, TWICE, before)
    *others, (swap, swapped) = [each for each in locks if "VALIDATE" not in each[0]]
    assert "DROP TABLE public.books" in swap
    assert swapped["books"] == LockMode.ACCESS_EXCLUSIVE
    notes = [modes for step, modes in others if "CREATE TRIGGER" in step]
    assert notes == [{"books": LockMode.SHARE_ROW_EXCLUSIVE}]
    rest = [mode for step, modes in others if "CREATE TRIGGER" not in step for mode in modes.values()]
    assert max(rest) == LockMode.ACCESS_SHARE
    validated = {"books": LockMode.SHARE_UPDATE_EXCLUSIVE, "authors": LockMode.ROW_SHARE}
    assert held(locks, "VALIDATE") == validated
