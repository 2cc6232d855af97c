"""What happens before each statement of a revision, wherever it comes from (op.*, op.execute, a session).

1. A statement that an earlier, interrupted try has committed is passed over (`journal`).
2. What a downgrade is about to destroy is counted (`data_loss`).
3. A patient statement gets patient limits, and what an interrupted try left of its index is dropped (`concurrently`).
4. In a transaction, the way to each table it locks is waited for, then the staged lock is taken (`free_way`), then the
   short limits are set (`lock_timeout`).
5. Outside of a transaction, a statement that could be inside one is put into one, together with its journal.

Afterwards it is noted in the journal.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from src.postgres.literals import shorten
from src.postgres.lock_modes import LockMode, is_patient, needs_autocommit
from src.postgres.lock_modes.reader import first_word
from src.safety.apply import concurrently
from src.safety.apply.activity import Activity
from src.safety.apply.consent import Consent
from src.safety.apply.free_way import FreeWay
from src.safety.apply.journal import Journal
from src.safety.apply.lock_taker import LockTaker
from src.safety.apply.losses_now import LossesNow
from src.safety.apply.one_by_one import writes_rows
from src.safety.apply.rehearsal import Rehearsal
from src.safety.apply.returned_rows import empty, give, keep, nothing
from src.safety.apply.temporary import makes_temporary, refuse_temporary
from src.safety.apply.transaction_of_one import TransactionOfOne
from src.safety.history import Entry, History
from src.safety.online.step import Step
from src.safety.policy import Policy

_QUERIES = ("SELECT", "WITH", "SHOW", "VALUES", "TABLE")
# They are of the session, which is another one after a crash: they run again.
_SESSION = ("SET", "RESET", "BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


class StatementGuard:
    """Stands before the statements of one connection, one revision after the other."""

    def __init__(
        self,
        policy: Policy,
        history: History,
        way: FreeWay,
        activity: Activity,
        consent: Consent,
        rehearsal: Rehearsal | None = None,
    ) -> None:
        self._history, self._activity, self._rehearsal = history, activity, rehearsal
        self._locks, self._budget = LockTaker(policy, way, activity), policy.lock_budget
        self.entry: Entry | None = None
        """The revision whose statements are guarded."""
        self._journal: Journal | None = None
        self.deadline = 0.0
        """When the budget for waiting is spent, by `time.monotonic`; the time that statements work does not count."""
        self._own = False
        self.autocommit = False
        """Whether the revision is outside of any transaction at the moment."""
        self._nobody_reads = False
        self._has_read = False
        """Whether the revision has read something, on which what it does next may depend."""
        self._temporary = False  # whether the revision has made something temporary
        self._running: str | None = None  # the journal's key of the statement that runs now
        self._alone = TransactionOfOne(self._locks.forget)
        self.step: Step | None = None
        """The step of an online operation that is about to run."""
        self.bounded = False
        """Whether the statement may work no longer than it may wait for its lock."""
        self.losses = LossesNow(consent)

    @property
    def journal(self) -> Journal:
        """Of the revision."""
        assert self._journal is not None, "only a revision has one"
        return self._journal

    @property
    def is_ours(self) -> bool:
        """Whether what runs now is not the revision's."""
        return self._own

    @property
    def last_lock(self) -> tuple[str, LockMode] | None:
        """The lock that was asked for last."""
        return self._locks.last

    def attach(self, connection: Connection) -> None:
        """Be asked before each statement of `connection`, and told after it."""
        event.listen(connection, "before_cursor_execute", self._before, retval=True)
        event.listen(connection, "after_cursor_execute", self._after)

    @contextmanager
    def revision(self, entry: Entry) -> Iterator[Journal]:
        """Guard the statements of this revision until the end of the block."""
        self.entry, self._journal, self.deadline = entry, Journal(entry), time.monotonic() + self._budget
        self._has_read = self._temporary = False
        try:
            yield self._journal
        finally:
            self.entry = self._journal = None

    def beside(self, sql: str) -> set[str]:
        """See `LockTaker.beside`; nothing where a commit would end more than the locks.

        The first try is whole, and what fails has changed nothing, unless somebody stood in its way. Rows are another
        matter: who writes many under a strong lock stops everybody.
        """
        assert self.entry is not None
        begun = self.entry.retries or self.entry.journal or writes_rows(sql)
        return self._locks.beside(sql) if begun and not self.autocommit and not self._temporary else set()

    def new_transaction(self) -> None:
        """Locks and limits of the last one are gone."""
        self._locks.forget()

    def start_again(self) -> None:
        """The transaction was rolled back and the revision begins anew."""
        assert self._journal is not None
        self._journal.start_again()
        self._has_read = False
        self.losses.start_again()
        self.new_transaction()

    def before_commit(self, connection: Connection) -> None:
        """A transaction in the middle of a revision is about to be committed: its journal goes with it."""
        if self._journal is not None and self.entry is not None:
            self._journal.commit()
            with self.ours():
                if self._temporary:
                    refuse_temporary(connection, self.entry.revision)
                self._history.write_journal(connection, self.entry)

    @contextmanager
    def command(self) -> Iterator[None]:
        """What runs in the block comes from an operation: a SELECT too is there for its effect, nobody reads it."""
        self._nobody_reads = True
        try:
            yield
        finally:
            self._nobody_reads = False

    @contextmanager
    def question(self, connection: Connection) -> Iterator[None]:
        """What runs in the block only reads, for our own purposes."""
        with self.ours():
            if self.autocommit:
                self._locks.limits.patient(connection)
            else:
                self._locks.calm(connection)
            yield

    @contextmanager
    def ours(self) -> Iterator[None]:
        """What runs in the block is not the revision's."""
        before, self._own = self._own, True
        try:
            yield
        finally:
            self._own = before

    def _before(
        self, connection: Connection, _cursor: Any, statement: str, parameters: Any, context: Any, _many: bool
    ) -> tuple[str, Any]:
        if self._own or self.entry is None or self._journal is None:
            return statement, parameters
        word = first_word(statement)
        if word in _SESSION:
            self._locks.follow(word, statement)
            return statement, parameters
        if not self._nobody_reads and word in _QUERIES:
            self._has_read = self._locks.may_have_rows = True
            return statement, parameters
        given = getattr(context, "compiled_parameters", parameters)  # by name, and before a driver's own conversions
        key = self._journal.key(statement, given, has_read=self._has_read)
        with self.ours():
            return self._guard(connection, self.entry, self._journal, key, statement, parameters)

    def _guard(
        self, connection: Connection, entry: Entry, journal: Journal, key: str, sent: str, parameters: Any
    ) -> tuple[str, Any]:
        # As PostgreSQL reads it: psycopg halves what is doubled.
        statement = sent.replace("%%", "%") if connection.dialect.paramstyle == "pyformat" else sent
        self.give_up_transaction(connection)
        rows = journal.rows(key)
        if rows is None and self.step is not None and self.step.is_done(connection):
            rows = 0
        if rows is not None:
            if rows and not self._nobody_reads and "RETURNING" in statement.upper():
                return give(journal.returned(key), connection, statement), empty(parameters)
            return nothing(rows), empty(parameters)
        self._temporary |= makes_temporary(statement)
        self._activity.begin_step(shorten(statement, 100))
        self._history.note_step(entry, f"{self._activity.number}: {self._activity.step}")
        if self.autocommit:
            self._history.settle()  # what commits by itself must not be without its note
        if self.step is not None and self.step.obstacle is not None:
            begun = time.monotonic()
            with self.question(connection):
                self.step.obstacle.look(connection, outside=self.autocommit)
            self.deadline += time.monotonic() - begun
        if self.autocommit and (is_patient(statement) or needs_autocommit(statement)):
            if self._is_complete(connection, entry, journal, key, statement):
                return nothing(0), empty(parameters)
        else:
            if self.autocommit:
                self._alone.begin(connection, entry)
            held, ours = self._locks.held_for, self.step is not None
            self.losses.before(connection, sent, parameters, held=held, ours=ours)
            if self._alone:
                self.losses.check()
            self._locks.take(connection, entry, statement, deadline=self.deadline, bounded=self.bounded)
        self._running = key
        if self._rehearsal is not None:
            outside = self.autocommit and not self._alone
            self._rehearsal.before(connection, entry.revision, statement, outside=outside)
        return sent, parameters

    def _after(self, connection: Connection, cursor: Any, *_: Any) -> None:
        if self._own or self._running is None or self.entry is None or self._journal is None:
            return
        self.deadline += time.monotonic() - self._activity.since
        self._history.settle()
        self._journal.add(self._running, cursor.rowcount, "" if self._nobody_reads else keep(cursor))
        self._running = None
        if self._rehearsal is not None:
            with self.ours():
                self._rehearsal.after(connection)
        with self.ours():
            self.losses.after(connection)
        if self._alone:
            self.losses.check()
        if self.autocommit:
            self.before_commit(connection)
        if self._alone:
            with self.ours():
                self._alone.commit(connection)

    def give_up_transaction(self, connection: Connection) -> None:
        """Roll back the transaction of one statement, if that has failed."""
        self._running = None
        if self._alone:
            with self.ours():
                self._alone.roll_back(connection)

    def _is_complete(self, connection: Connection, entry: Entry, journal: Journal, key: str, statement: str) -> bool:
        """Prepare a statement outside of any transaction; or find that an earlier try had completed it."""
        if not is_patient(statement):
            self._locks.wait_alone(connection, entry, statement, deadline=self.deadline)
            return False
        self._locks.limits.patient(connection)
        if journal.has_begun(key) and concurrently.is_complete(connection, statement):
            return True
        concurrently.clear_away(connection, statement)
        if not journal.has_begun(key):
            journal.begin(key)
            self._history.write_journal(connection, entry)
        return False
