"""What SQLAlchemy tells of the connection on which the revisions run: all of it in one place, with who hears it.

A revision may end its transaction by itself: `op.get_bind().commit()`, a session's `rollback()`, or COMMIT as text. It
is carried out as it reads, and what comes after it is kept too. Alembic goes on with the transaction that it has begun,
which is over by then: what comes after it would be rolled back, and stamped. So Alembic is given the one that
SQLAlchemy has begun since (`Transactions.rejoin`); and what was committed is in the journal, as at any other commit in
the middle.
"""

from typing import Any

from sqlalchemy import Connection, event

from alembic_online.runner.attempt import Attempt
from alembic_online.runner.effects import Effects
from alembic_online.runner.hidden_tables import without_ours
from alembic_online.runner.lock_wait import MustRetry
from alembic_online.runner.multi_statement import run_all_but_the_last
from alembic_online.runner.raw_connection import notice
from alembic_online.runner.replay import NOTHING
from alembic_online.runner.safeguards import Safeguards
from alembic_online.runner.statement import Statement, end_of_transaction
from alembic_online.runner.timing import Timing


class ConnectionEvents:
    """Of one run."""

    def __init__(self, attempt: Attempt, timing: Timing, effects: Effects) -> None:
        self._attempt, self._timing, self._effects = attempt, timing, effects
        self._safeguards = Safeguards(attempt)
        self._line = ""
        """What the revision sends by the connection itself, while it runs."""

    def attach(self) -> None:
        """Listen from now on."""
        connection = self._attempt.connection
        event.listen(connection, "before_execute", self._asks, retval=True)
        event.listen(connection, "before_cursor_execute", self._before, retval=True)
        event.listen(connection, "after_cursor_execute", self._after)
        event.listen(connection, "begin", lambda _: self._effects.look())
        event.listen(connection, "commit", lambda _: self._commits())
        event.listen(connection, "rollback", lambda _: self._rolls_back())
        notice(connection, self._taken)

    def _taken(self) -> None:
        """What comes by the driver's connection is not seen: it finds what stands above it, now and later."""
        if self._attempt.is_guarded and not self._attempt.is_alone:
            self._timing.taken()

    def _asks(self, _connection: Connection, asked: Any, many: Any, given: Any, _options: Any) -> tuple[Any, Any, Any]:
        """What is compiled and sent in the place of this."""
        return (without_ours(asked) if self._attempt.is_guarded else asked), many, given

    def _before(
        self, connection: Connection, _cursor: Any, sent: str, parameters: Any, context: Any, many: bool
    ) -> tuple[str, Any]:
        """What is sent in the place of this, with its parameters."""
        sent, parameters = run_all_but_the_last(connection, sent, parameters, context, many=many)
        if not self._attempt.is_guarded:
            return sent, parameters
        if not self._attempt.is_outside and (end := end_of_transaction(sent)):
            (self._commits if end == "COMMIT" else self._rolls_back)()
            sent = f"{end} AND CHAIN"  # driver and SQLAlchemy go on in a transaction, so the server begins one
        statement = Statement.on(connection, sent, parameters, context)
        attempt = self._attempt
        is_line = not (attempt.is_prepared or attempt.is_alone or attempt.nobody_reads or sent == NOTHING)
        if is_line:
            self._timing.used(statement)
        instead = self._safeguards.before(statement)
        self._line = statement.sql if is_line and not self._attempt.in_steps else ""
        return instead

    def _after(self, _connection: Connection, cursor: Any, sent: str, *_: Any) -> None:
        if self._attempt.is_guarded:
            line, self._line = self._line, ""
            self._safeguards.after(cursor)
            self._attempt.note_line(line)
            self._effects.ran(sent)

    def _commits(self) -> None:
        attempt = self._attempt
        if attempt.entry is not None and not attempt.is_outside:
            try:
                if attempt.is_alone:
                    raise MustRetry
                if not attempt.in_steps:
                    self._timing.commits()
                with attempt.ours():
                    attempt.settings.before_commit(attempt.connection)
                if attempt.journal.is_pending:
                    attempt.losses.check()
                    attempt.before_commit()
            except Exception:
                attempt.connection.connection.rollback()  # SQLAlchemy takes the transaction for ended
                raise
        attempt.new_transaction()

    def _rolls_back(self) -> None:
        attempt = self._attempt
        if attempt.is_alone and attempt.is_guarded:
            raise MustRetry
        if attempt.entry is not None and not attempt.is_outside:
            self._timing.rolls_back()
            attempt.settings.lose()
            attempt.journal.roll_back()
            attempt.asked.forget()
        attempt.new_transaction()
