"""What happens before each statement of a revision, wherever it comes from (op.*, op.execute, a session).

1. A statement that an earlier, interrupted try has committed is passed over (`journal`).
2. What a downgrade is about to destroy is counted (`data_loss`).
3. A patient statement gets patient limits, and what an interrupted try left of its index is dropped
   (`interrupted_ddl`).
4. In a transaction, the way to each table it locks is waited for, then the staged lock is taken (`lock_wait`), then the
   short limits are set (`lock_timeout`).
5. Outside of a transaction, a statement that could be inside one is put into one, together with its journal.

Afterwards it is noted in the journal.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, event

from alembic_online.policy import Policy
from alembic_online.postgres.locks import LockMode, is_patient, needs_autocommit
from alembic_online.postgres.locks.reader import first_word
from alembic_online.postgres.sql.literals import shorten
from alembic_online.recipes.cutover.block_statements import with_block_statements
from alembic_online.recipes.step import Step
from alembic_online.runner import interrupted_ddl as concurrently
from alembic_online.runner.data_loss_confirmation import Consent
from alembic_online.runner.data_loss_guard import LossesNow
from alembic_online.runner.facts import LastLook
from alembic_online.runner.journal import Journal
from alembic_online.runner.local_settings import LocalSettings
from alembic_online.runner.lock_acquisition import LockTaker
from alembic_online.runner.lock_wait import FreeWay
from alembic_online.runner.replay import again, empty, keep, nothing
from alembic_online.runner.statement_origin import Whose, as_read, texts_in
from alembic_online.runner.statement_transaction import TransactionOfOne
from alembic_online.runner.temp_tables import makes_temporary, refuse_temporary
from alembic_online.runtime.activity import Activity
from alembic_online.runtime.history import Entry, History
from alembic_online.runtime.rehearsal import NextStatement, Rehearsal

_QUERIES = ("SELECT", "WITH", "SHOW", "VALUES", "TABLE")
# SET NOT NULL and a new key pass by a partition's NOT VALID constraint (PostgreSQL 18): what is left is rolled back.
_OPEN = re.compile(
    r"\bNOT\s+VALID\b|\bON\s+ONLY\b|\bindisvalid\b|\bSET\s+NOT\s+NULL\b|\bADD\b[^;]*\bPRIMARY\s+KEY\b", re.IGNORECASE
)
# They are of the session, which is another one after a crash: they run again.
_SESSION = ("SET", "RESET", "BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


def nothing_more() -> None:
    """What comes with a lock is written already."""


class StatementGuard(Whose):
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
        self._history, self._rehearsal = history, rehearsal
        self.activity = activity
        """What runs now."""
        self._locks, self._budget = LockTaker(policy, way, activity), policy.total_lock_timeout
        self.entry: Entry | None = None
        """The revision whose statements are guarded."""
        self._journal: Journal | None = None
        self.deadline = 0.0
        """When the budget for waiting is spent, by `time.monotonic`; the time that statements work does not count."""
        super().__init__()
        self.autocommit = False
        """Whether the revision is outside of any transaction at the moment."""
        self._has_read = False
        """Whether the revision has read something, on which what it does next may depend."""
        self._temporary = False  # whether the revision has made something temporary
        self._running: str | None = None  # the journal's key of the statement that runs now
        self._alone = TransactionOfOne(self.new_transaction)
        self._ahead: list[str] | None = None  # the journal as this transaction has written it
        self.may_leave_open = False
        """Whether something in this transaction may leave an index INVALID or a constraint NOT VALID."""
        self.last_look = LastLook()
        """At the catalogue: what is about to be committed is noted with what it was like."""
        self.will_commit: Callable[[], None] = lambda: None
        """Before the first strong lock of a transaction, which is committed before the stamp."""
        self.step: Step | None = None
        """The step of an online operation that is about to run."""
        self.losses = LossesNow(consent)
        self.settings = LocalSettings()
        """What the revision has set for its transaction."""
        self.prepared = False
        """Whether all that may be asked of the statements that run now was asked before (`pipelined_statements`)."""
        self.used: Callable[[str, Sequence[str]], None] = lambda *_: None
        """Before the revision sends a statement by the connection itself, with these texts among its values."""
        self.commits: Callable[[], None] = lambda: None
        """Before the revision commits by itself."""
        self.rolls_back: Callable[[], None] = lambda: None
        """Before it rolls back by itself."""

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
        self.entry, self._journal, self.deadline = (
            entry,
            Journal(entry, self.last_look),
            time.monotonic() + self._budget,
        )
        self._has_read = self._temporary = False
        self.settings.forget()
        try:
            yield self._journal
        finally:
            self.entry = self._journal = None

    @property
    def may_wait(self) -> bool:
        """Whether a statement may be put off; also where what came before it is not to be committed yet."""
        return not (self.autocommit or self._temporary or self._locks.may_be_undone)

    @property
    def may_commit(self) -> bool:
        """Whether clients may see what was done, before what comes next."""
        return not (self.autocommit or self._temporary or self._locks.together or self._locks.may_be_undone)

    @property
    def in_savepoint(self) -> bool:
        """Whether the revision may go back to a savepoint, its own text's too."""
        return self._locks.may_be_undone

    @property
    def holds_locks(self) -> bool:
        """Whether strong locks are held."""
        return self._locks.holds

    def locked_by(self, sql: str) -> set[str]:
        """The relations that others can see and `sql` locks strongly."""
        return self._locks.locked_by(sql)

    def new_transaction(self) -> None:
        """Locks and limits of the last one are gone."""
        self._ahead, self.may_leave_open = None, False
        self._locks.forget()

    def start_again(self) -> None:
        """The transaction was rolled back and the revision begins again."""
        assert self._journal is not None
        self._journal.start_again()
        self._has_read = False
        self.losses.start_again()
        self.new_transaction()

    def before_commit(self, connection: Connection) -> None:
        """A transaction in the middle of a revision is about to be committed: its journal goes with it."""
        if self._journal is not None and self.entry is not None and not self.prepared:
            self._journal.commit()
            with self.ours():
                if self._temporary:
                    refuse_temporary(connection, self.entry.revision)
                if self.entry.journal != self._ahead:
                    self._write_journal(connection, self.entry.journal)

    @property
    def may_hold_locks(self) -> bool:
        """Whether strong locks may be held, and nothing needs to be written before they are let go of."""
        return self._ahead is not None

    def _write_ahead(self, connection: Connection, keys: Iterable[str]) -> None:
        """Strong locks come next: what is to be committed with these statements is written before them.

        The row of the history is ours from here to the commit, so no other session of ours may write to it. To a
        savepoint somebody may go back, and the row with him.
        """
        if not self._locks.may_be_undone:
            for key in keys:
                self.journal.add(key, 0)
            if self._ahead is None and not self._locks.holds:
                self.will_commit()
            self._history.settle()
            self._ahead = self.journal.ahead
            self.settings.note_ahead(connection)
            self._write_journal(connection, self._ahead)

    def keep_journal(self) -> None:
        """At once: all that it says is committed."""
        assert self.entry is not None
        self._history.write_journal_now(self.entry)

    def _write_journal(self, connection: Connection, lines: Sequence[str]) -> None:
        assert self.entry is not None
        with self.settings.ourselves(connection):
            self._history.write_journal(connection, self.entry, lines)

    @contextmanager
    def question(self, connection: Connection) -> Iterator[None]:
        """What runs in the block only reads, for our own purposes."""
        with self.ours():
            if self.autocommit:
                self._locks.limits.patient(connection)
            else:
                self._locks.calm(connection)
            yield

    def _before(
        self, connection: Connection, _cursor: Any, statement: str, parameters: Any, context: Any, _many: bool
    ) -> tuple[str, Any]:
        if self._own or self.entry is None or self._journal is None:
            return statement, parameters
        if self.prepared:
            self._running = statement
            self._watch(connection, self.entry, as_read(connection, statement))
            return statement, parameters
        if statement == nothing(0):  # in the place of one that waits
            return statement, parameters
        if not self._nobody_reads:
            self.used(as_read(connection, statement), texts_in(parameters))
        word = first_word(statement)
        with self.ours():
            kept = self.settings.follow(connection, as_read(connection, statement))
        if word in _SESSION or kept:
            self._locks.follow(word, statement, kept=kept)
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
        statement = as_read(connection, sent)
        self.give_up_transaction(connection)
        rows = journal.rows(key)
        if rows is None and self.step is not None and self.step.is_done(connection):
            rows = 0
        if rows is not None:
            returned = None if self._nobody_reads else journal.returned(key)
            return again(connection, statement, rows, returned), empty(parameters)
        self._temporary |= makes_temporary(statement)
        self._begin(entry, statement)
        if self.autocommit:
            self._history.settle()  # what commits by itself must not be without its note
        if self.step is not None and self.step.obstacle is not None:
            begun = time.monotonic()
            with self.question(connection):
                self.step.obstacle.look(connection, outside=self.autocommit)
            self.deadline += time.monotonic() - begun
        if self.autocommit and (is_patient(statement) or needs_autocommit(statement)):
            self._locks.take_outside(connection, entry, statement, deadline=self.deadline)
            write = partial(self._write_journal, connection, entry.journal)
            if concurrently.is_complete_or_begins(connection, journal, write, key, statement):
                return nothing(0), empty(parameters)
        else:
            if self.autocommit:
                self._alone.begin(connection, entry)
            self.losses.before(connection, sent, parameters, held=self._locks.held_for, ours=self.step is not None)
            if self._alone:
                self.losses.check()
            ahead = partial(self._write_ahead, connection, [key])
            told = statement if self.step is not None else with_block_statements(statement)
            self._locks.take(connection, entry, told, deadline=self.deadline, before=ahead)
        self._running = key
        self._watch(connection, entry, statement)
        return sent, parameters

    def _begin(self, entry: Entry, statement: str) -> None:
        self.may_leave_open |= bool(_OPEN.search(statement))
        self.activity.begin_step(shorten(statement, 100))
        self._note_step(entry)

    def _note_step(self, entry: Entry) -> None:
        if self._ahead is None:
            self._history.note_step(entry, f"{self.activity.number}: {self.activity.step}")

    def _watch(self, connection: Connection, entry: Entry, statement: str) -> None:
        if self._rehearsal is not None:
            outside = self.autocommit and not self._alone
            with self.ours():
                coming = NextStatement(entry.revision, statement, outside, self.activity.written_at)
                self._rehearsal.before(connection, coming)

    def _after(self, connection: Connection, cursor: Any, *_: Any) -> None:
        if self._own or self._running is None or self.entry is None or self._journal is None:
            return
        if not self.prepared:
            self.deadline += time.monotonic() - self.activity.since
            self._history.settle()
            if not self._journal.is_added(self._running):
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

    def prepare(
        self, connection: Connection, statements: Sequence[str], *, keys: Iterable[str], bounded: bool, commits: bool
    ) -> None:
        """See `pipelined_statements`."""
        assert self.entry is not None
        for statement in statements:
            self.may_leave_open |= bool(_OPEN.search(statement))
            self.activity.begin_step(shorten(statement, 100))
            self.losses.before(connection, statement, (), held=self._locks.held_for, ours=True)
        self._note_step(self.entry)
        self._history.settle()
        for key in keys:
            self.journal.add(key, 0)
        ahead = nothing_more if commits else partial(self._write_ahead, connection, [])
        if commits:
            self.losses.check()
            self.settings.note_ahead(connection)
            self.before_commit(connection)
        sql = ";\n".join(statements)
        self._locks.take(connection, self.entry, sql, deadline=self.deadline, bounded=bounded, before=ahead)

    def give_up_transaction(self, connection: Connection) -> None:
        """Roll back the transaction of one statement, if that has failed."""
        if self._running is not None:
            self.journal.discard(self._running)
        self._running = None
        if self._alone:
            with self.ours():
                self._alone.roll_back(connection)
