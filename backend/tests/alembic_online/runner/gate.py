"""A step of a revision that takes as long as the test wants."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.alembic_online.runner.processes import until

# Not a plain pg_advisory_lock(): this is to be work that takes long, and no lock that is waited for.
STEP = (
    "DO $$ BEGIN WHILE NOT pg_try_advisory_lock(4711) LOOP PERFORM pg_sleep(0.01); END LOOP;"
    " PERFORM pg_advisory_unlock(4711); END $$"
)
_AT_GATE = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%4711) LOOP%'"


class Gate:
    """Closed until `open` is called."""

    def __init__(self, session: psycopg.Connection) -> None:
        self._session = session

    def reached(self) -> int:
        """Wait until somebody stands before it; returns his pid on the server."""
        # Asleep: while it is only being prepared, it ends at once with its client.
        query = f"{_AT_GATE} AND pid <> pg_backend_pid() AND state = 'active' AND wait_event = 'PgSleep'"
        return int(until(lambda: self._session.execute(query).fetchone())[0])  # type: ignore[index]

    def noted(self) -> int:
        """Wait until, besides, the history says that he does: it is told so while the step begins."""
        pid = self.reached()
        until(lambda: self._session.execute("SELECT 1 FROM alembic_history WHERE step LIKE '%: DO%'").fetchone())
        return pid

    def open(self) -> None:
        """Let everybody pass."""
        self._session.execute("SELECT pg_advisory_unlock_all()")


@contextmanager
def closed(url: str) -> Iterator[Gate]:
    """The gate of this database, closed."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("SELECT pg_advisory_lock(4711)")
        yield Gate(session)
