"""Which locks an operation holds while it works through the rows: none that stops a reader or a writer."""

from collections.abc import Callable

import psycopg
import pytest

from tests.safety.apply import gate
from tests.safety.apply.clients import Client
from tests.safety.apply.conftest import start
from tests.safety.apply.processes import Migrator, until
from tests.safety.online.cases import BOOKS
from tests.safety.online.interruption import PATIENT
from tests.safety.project import Project

__all__ = ["start"]

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
