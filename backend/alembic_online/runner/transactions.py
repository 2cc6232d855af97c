"""Where the transaction of a revision ends and another begins: by us, by Alembic, or again after an error."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from alembic_online.alembic_seam import Send, take_transaction
from alembic_online.postgres.locks import needs_autocommit
from alembic_online.recipes.catalogue_precheck import is_in_vain, must_leave
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import sql_of_definition
from alembic_online.runner.attempt import Attempt
from alembic_online.runner.lock_wait import MustRetry


class Transactions:
    """Of one run, on its connection."""

    def __init__(self, attempt: Attempt, database: Database) -> None:
        self._attempt, self._database = attempt, database
        self._context = attempt.run.context

    def send(self, construct: Executable | str, send: Send) -> Any:
        """Outside of the transaction what cannot, or need not, be in it, also where nobody wrote so.

        `send` does it as Alembic would.
        """
        sql = sql_of_definition(construct, self._context.dialect)
        inside = self._attempt.is_outside or not must_leave(sql)
        if not inside and self._attempt.entry is not None:
            with self._attempt.ours():
                inside = is_in_vain(sql, self._database)
            if inside and needs_autocommit(sql):
                return None
        with nullcontext() if inside else self.outside(), self._attempt.command():
            return send(construct)

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Alembic's block, which commits what came before: the journal is committed with it."""
        attempt, connection = self._attempt, self._attempt.connection
        if attempt.is_alone:
            raise MustRetry
        attempt.losses.check()
        self.rejoin()
        with attempt.ours():
            attempt.settings.note(connection)
            if attempt.entry is not None and not attempt.locks.holds:
                attempt.last_look.before_locks()  # of a table that an earlier revision of this run has made, too
        attempt.before_commit()
        with _first_error(), self._context.leave_transaction():
            attempt.leave_transaction()
            with attempt.ours():
                attempt.settings.set_again(connection)
            try:
                yield
            finally:
                attempt.end_failed_statement()
                attempt.join_transaction()
        attempt.settings.begin()

    def commit(self) -> None:
        """What was done so far, and let go of all locks."""
        with self.outside():
            pass

    def roll_back(self) -> None:
        """End the revision's transaction and begin a new one in its place, as Alembic's own autocommit_block does."""
        if (transaction := self._attempt.connection.get_transaction()) is not None:
            transaction.rollback()
        self.rejoin()
        self._attempt.new_transaction()

    def rejoin(self) -> None:
        """Make the connection's transaction Alembic's own, also where the revision has ended the one before."""
        if not self._attempt.is_outside:
            take_transaction(self._context, self._attempt.connection)

    def adopt(self) -> None:
        """Roll back the transaction that is there, after an error, and let Alembic find it; a lost connection has none.

        It may hold the row of the history, which is to say that this failed.
        """
        transaction = self._attempt.connection.get_transaction()
        if transaction is not None and not self._attempt.is_outside:
            self.rejoin()
            with suppress(DBAPIError):
                transaction.rollback()


@contextmanager
def _first_error() -> Iterator[None]:
    """Raise what ended the block, and not what its clean-up then met on a lost connection."""
    try:
        yield
    except PendingRollbackError as error:
        raise error.__context__ or error from None
