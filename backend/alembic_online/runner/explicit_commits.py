"""A revision that ends its transaction by itself: it is carried out as it reads, and what comes after it is kept too.

`op.get_bind().commit()`, a session's `rollback()`, or COMMIT as text. Alembic goes on with the transaction that it has
begun, which is over by then: what comes after it would be rolled back, and stamped. So Alembic is given the one that
SQLAlchemy has begun since; and what was committed is in the journal, as at any other commit in the middle.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from alembic_online.alembic_seam import take_transaction
from alembic_online.postgres.locks.reader import statements
from alembic_online.runner.statement_guard import StatementGuard


class OwnEnds:
    """Listens to one connection. Attached before the guard, whose statements it may replace."""

    def __init__(self, context: MigrationContext, guard: StatementGuard, check: Callable[[], None]) -> None:
        """`check` raises where something must be asked before a commit."""
        self._context, self._guard, self._check = context, guard, check

    def attach(self, connection: Connection) -> None:
        """Be told before each end of a transaction, and asked before each statement."""
        event.listen(connection, "commit", self._commits)
        event.listen(connection, "rollback", self._rolls_back)
        event.listen(connection, "before_cursor_execute", self._before, retval=True)

    def rejoin(self, connection: Connection) -> None:
        """Make the connection's transaction Alembic's own, also where the revision has ended the one before."""
        if not self._guard.autocommit:
            take_transaction(self._context, connection)

    def adopt(self, connection: Connection) -> None:
        """Roll back the transaction that is there, after an error, and let Alembic find it; a lost connection has none.

        It may hold the row of the history, which is to say that this failed.
        """
        if (transaction := connection.get_transaction()) is not None and not self._guard.autocommit:
            take_transaction(self._context, connection)
            with suppress(DBAPIError):
                transaction.rollback()

    def _commits(self, connection: Connection) -> None:
        if self._is_of_a_revision():
            try:
                self._guard.commits()
                with self._guard.ours():
                    self._guard.settings.before_commit(connection)
                if self._guard.journal.is_pending:
                    self._check()
                    self._guard.before_commit(connection)
            except Exception:
                connection.connection.rollback()  # SQLAlchemy takes the transaction for ended
                raise
        self._guard.new_transaction()

    def _rolls_back(self, _: Connection) -> None:
        if self._is_of_a_revision():
            self._guard.rolls_back()
            self._guard.settings.lose()
            self._guard.journal.roll_back()
        self._guard.new_transaction()

    def _before(
        self, connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
    ) -> tuple[str, Any]:
        """COMMIT or ROLLBACK as text: driver and SQLAlchemy go on in a transaction, so the server begins one."""
        end = end_of_transaction(statement) if self._is_of_a_revision() else ""
        if end == "COMMIT":
            self._commits(connection)
        elif end:
            self._rolls_back(connection)
        return f"{end} AND CHAIN" if end else statement, parameters

    def _is_of_a_revision(self) -> bool:
        return self._guard.entry is not None and not self._guard.autocommit


def end_of_transaction(statement: str) -> str:
    """COMMIT or ROLLBACK, where `statement` is that and nothing else."""
    if statement.lstrip()[:1] not in "CcEeRrAa":
        return ""
    found = list(statements(statement))
    word = found[0].accept_any("COMMIT", "END", "ROLLBACK", "ABORT") if len(found) == 1 else None
    if word is None:
        return ""
    found[0].accept_any("WORK", "TRANSACTION")
    if not (found[0].done or found[0].accept("AND NO CHAIN")):
        return ""  # to a savepoint, a prepared transaction, or with a chain of its own
    return "COMMIT" if word in ("COMMIT", "END") else "ROLLBACK"


@contextmanager
def first_error() -> Iterator[None]:
    """Raise what ended the block, and not what its clean-up then met on a lost connection."""
    try:
        yield
    except PendingRollbackError as error:
        raise error.__context__ or error from None
