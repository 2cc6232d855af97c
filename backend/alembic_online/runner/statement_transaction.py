"""Where a revision is outside of any transaction, a statement that could be inside one gets one, with its journal."""

from collections.abc import Callable

from sqlalchemy import Connection

from alembic_online.runtime.history import Entry


class TransactionOfOne:
    """True while there is one. `forget_locks` is told when it begins and ends."""

    def __init__(self, forget_locks: Callable[[], None]) -> None:
        self._forget_locks = forget_locks
        self._entry: Entry | None = None
        self._journal_before = 0
        """The length of the journal when it began."""

    def __bool__(self) -> bool:
        return self._entry is not None

    def begin(self, connection: Connection, entry: Entry) -> None:
        """Begin one for the next statement of `entry`."""
        connection.exec_driver_sql("BEGIN")
        self._entry, self._journal_before = entry, len(entry.journal)
        self._forget_locks()

    def commit(self, connection: Connection) -> None:
        """Keep what the statement did, and its journal."""
        connection.exec_driver_sql("COMMIT")
        self._end()

    def roll_back(self, connection: Connection) -> None:
        """The statement has failed: its journal goes with it."""
        assert self._entry is not None
        del self._entry.journal[self._journal_before :]
        self._end()
        if not connection.invalidated:
            connection.exec_driver_sql("ROLLBACK")

    def _end(self) -> None:
        self._entry = None
        self._forget_locks()
