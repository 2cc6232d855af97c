"""All that changes while a revision runs: its journal, its transaction, what it has locked, set and lost so far.

One serves for a whole run, one revision after the other. It says what may be done, and does what belongs to a commit;
what is done around a statement is in `safeguards`.
"""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from sqlalchemy import Connection

from alembic_online.postgres.sql.literals import shorten
from alembic_online.recipes.cutover.later_statements import Below
from alembic_online.revisions.source_line import line_in
from alembic_online.runner.asked_lines import AskedLines
from alembic_online.runner.catalogue_look import CatalogueLook
from alembic_online.runner.data_loss_guard import LossesNow
from alembic_online.runner.journal import Journal
from alembic_online.runner.local_settings import LocalSettings
from alembic_online.runner.lock_acquisition import LockTaker
from alembic_online.runner.run import Run
from alembic_online.runner.statement import Statement
from alembic_online.runner.statement_origin import Whose
from alembic_online.runner.temp_tables import goes_with_transaction, makes_temporary, refuse_temporary
from alembic_online.runtime.history import Entry
from alembic_online.runtime.owners_session import set_by_revision

_CHANGES_PATH = re.compile(r"\bsearch_path\b|\bSET\s+((LOCAL|SESSION)\s+)?(SCHEMA|ROLE|SESSION)\b", re.IGNORECASE)


class Transaction(Enum):
    """In which one the revision is."""

    REVISION = "its own, which Alembic has begun"
    SINGLE_STATEMENT = "one of ours, for the statement at hand"
    NONE = "none: what runs commits by itself"


class Attempt(Whose):
    """Of the revision that is `entry`; None between two of them, when nothing is guarded."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self.entry: Entry | None = None
        self._journal: Journal | None = None
        self._below: Below | None = None
        self._transaction = Transaction.REVISION
        self.locks = LockTaker(run.policy, run.way, run.activity)
        self.losses = LossesNow(run.consent)
        self.asked = AskedLines()
        self.settings = LocalSettings()
        """What the revision has set for its transaction."""
        self.last_look = CatalogueLook(run.history, run.connection, looks=run.rehearsal is None)
        """At the catalogue: what is about to be committed is noted with what it was like."""
        self._deadline = 0.0
        self._has_read = self._has_temporary = self._may_leave_open = self._may_fill_tables = False
        self._has_passing = False
        """Something temporary that goes with the next commit."""
        self._key: str | None = None
        self._ahead: list[str] | None = None
        """The journal as this transaction has written it."""
        self._journal_before = 0
        """Its length when the transaction of a single statement began."""

    @contextmanager
    def revision(self, entry: Entry, path: Path) -> Iterator[None]:
        """This one, of this file, runs until the end of the block."""
        self.entry, self._journal = entry, Journal(entry, self.last_look)
        self._below = Below(path, entry.direction)
        self._deadline = time.monotonic() + self.run.policy.total_lock_timeout
        self._has_read = self._has_temporary = self._has_passing = self._may_fill_tables = False
        self.settings.forget()
        self.asked.forget()
        try:
            yield
        finally:
            self.entry = self._journal = self._below = None

    def start_again(self) -> None:
        """The transaction was rolled back and the revision begins again."""
        self.journal.start_again()
        self.asked.forget()
        self._has_read = False
        self.losses.start_again()
        self.new_transaction()

    @property
    def connection(self) -> Connection:
        """On which it runs."""
        return self.run.connection

    @property
    def at_hand(self) -> Entry:
        """The revision that runs."""
        assert self.entry is not None, "only a revision is carried out"
        return self.entry

    @property
    def journal(self) -> Journal:
        """Of the revision."""
        assert self._journal is not None, "only a revision has one"
        return self._journal

    @property
    def below(self) -> Below:
        """The text of the revision, in its direction."""
        assert self._below is not None, "only a revision has one"
        return self._below

    # What may be done

    @property
    def is_guarded(self) -> bool:
        """Whether what runs now is a revision's, and neither the stamp nor a question of ours."""
        return self.entry is not None and not self.is_ours

    @property
    def is_outside(self) -> bool:
        """Whether the revision has left its transaction."""
        return self._transaction is not Transaction.REVISION

    @property
    def commits_by_itself(self) -> bool:
        """Whether the statement at hand is in no transaction at all."""
        return self._transaction is Transaction.NONE

    @property
    def in_single_statement(self) -> bool:
        """Whether the statement at hand has a transaction for itself."""
        return self._transaction is Transaction.SINGLE_STATEMENT

    @property
    def may_wait(self) -> bool:
        """Whether a statement may be put off; also where what came before it is not to be committed yet."""
        return not (self.is_outside or self._has_temporary or self.locks.may_be_undone)

    @property
    def may_commit(self) -> bool:
        """Whether clients may see what was done, before what comes next."""
        return self.may_wait and not self.locks.together

    @property
    def may_change_path(self) -> bool:
        """Whether the file says something by which names may mean other objects."""
        return bool(_CHANGES_PATH.search(self.below.whole_file))

    @property
    def deadline(self) -> float:
        """When the budget for waiting is spent, by `time.monotonic`."""
        return self._deadline

    @property
    def may_leave_open(self) -> bool:
        """Whether something in this transaction may leave an index INVALID or a constraint NOT VALID."""
        return self._may_leave_open

    @property
    def may_fill_tables(self) -> bool:
        """Whether something in this try, which is alone, may have made a table large."""
        return self._may_fill_tables

    @property
    def has_written_ahead(self) -> bool:
        """Whether strong locks may be held, and nothing needs to be written before they are let go of."""
        return self._ahead is not None

    # What is at hand

    @property
    def key(self) -> str:
        """The journal's, of the statement at hand."""
        assert self._key is not None, "given by `name`"
        return self._key

    def name(self, statement: Statement) -> str:
        """Give the statement its key."""
        self._key = self.journal.key(statement.sent, statement.values, has_read=self._has_read)
        return self._key

    def pass_over(self) -> None:
        """The statement at hand does not run, or has run."""
        self._key = None

    def note_reading(self) -> None:
        """The revision reads something, on which what it does next may depend."""
        self._has_read = True
        self.locks.note_reading()

    def note_line(self, sql: str) -> None:
        """The revision has asked for this by its own line, and it has run, or waits."""
        self.asked.note(sql)
        if _CHANGES_PATH.search(sql):
            self.last_look.path = None

    def note_temporary(self, statement: str) -> None:
        """The revision may make something temporary by this statement."""
        self._has_temporary |= makes_temporary(statement)
        self._has_passing |= goes_with_transaction(statement)

    def _is_named_below(self, name: str) -> bool:
        line = line_in(str(self.below.path.parent))
        return line is not None and self.below.names(name, line.lineno or 0)

    def add_work(self, since: float) -> None:
        """What was done since then, by `time.monotonic`, was work: the budget for waiting is not spent by it."""
        self._deadline += time.monotonic() - since

    def begin_step(self, statement: Statement) -> None:
        """It comes next: whoever watches sees it."""
        self._may_leave_open |= statement.may_leave_open
        self._may_fill_tables |= self.is_alone and statement.may_fill_tables
        self.run.activity.begin_step(shorten(statement.sql, 100))

    def note_step(self) -> None:
        """Say in the history where the revision is; not beside a strong lock."""
        if self._ahead is None:
            self.run.history.note_step(self.at_hand, f"{self.run.activity.number}: {self.run.activity.step}")

    def look_for_older_releases(self) -> None:
        """Before a strong lock of a contract. Raises `ContractWaits` where one is connected."""
        if self.run.gate is not None and (self.locks.will_lock or self.commits_by_itself):
            self.run.gate.look_again()

    @contextmanager
    def question(self) -> Iterator[Connection]:
        """What runs in the block only reads, for our own purposes."""
        with self.ours():
            if self.is_outside:
                self.locks.limits.patient(self.connection)
            else:
                self.locks.calm(self.connection)
            yield self.connection

    def settings_for_others(self) -> dict[str, str]:
        """What counts in the session of the revision, for those that work beside it."""
        with self.ours():
            return set_by_revision(self.connection, self.settings.of_application)

    # Transactions

    def new_transaction(self) -> None:
        """Locks and limits of the last one are gone."""
        self._ahead, self._may_leave_open = None, False
        self.locks.forget()

    def leave_transaction(self) -> None:
        """The last one has ended, and there is none from here on."""
        self._transaction = Transaction.NONE
        self.new_transaction()

    def join_transaction(self) -> None:
        """The revision is about to have one of its own again."""
        self._transaction = Transaction.REVISION
        self.new_transaction()

    def before_commit(self) -> None:
        """A transaction in the middle of a revision is about to be committed: its journal goes with it."""
        if self.entry is not None and not self.is_prepared:
            self.journal.commit()
            with self.ours():
                if self._has_temporary:
                    refuse_temporary(self.connection, self.entry.revision, lambda _: True)
                elif self._has_passing:
                    refuse_temporary(self.connection, self.entry.revision, self._is_named_below)
                    self._has_passing = False
                if self.entry.journal != self._ahead:
                    self.write_journal(self.entry.journal)

    def write_ahead(self, keys: Iterable[str]) -> None:
        """Strong locks come next: what is to be committed with these statements is written before them.

        The row of the history is ours from here to the commit, so no other session of ours may write to it. To a
        savepoint somebody may go back, and the row with him.
        """
        if not self.locks.may_be_undone:
            for key in keys:
                self.journal.add(key, 0)
            if self._ahead is None and not self.locks.holds:
                self.last_look.before_locks()
            self.run.history.settle()
            self._ahead = self.journal.ahead
            self.settings.note_ahead(self.connection)
            self.write_journal(self._ahead)

    def write_journal(self, lines: Sequence[str]) -> None:
        """In the transaction at hand."""
        with self.settings.ourselves(self.connection):
            self.run.history.write_journal(self.connection, self.at_hand, lines)

    def begin_single_statement(self) -> None:
        """Outside of its own, the next statement gets a transaction."""
        self.connection.exec_driver_sql("BEGIN")
        self._transaction, self._journal_before = Transaction.SINGLE_STATEMENT, len(self.at_hand.journal)
        self.new_transaction()

    def commit_single_statement(self) -> None:
        """Keep what it did, and its journal."""
        self.connection.exec_driver_sql("COMMIT")
        self.leave_transaction()

    def end_failed_statement(self) -> None:
        """The last statement has failed, if it is at hand still: it is not noted, and its transaction rolled back."""
        if self._key is not None:
            self.journal.discard(self._key)
        self._key = None
        if self.in_single_statement:
            del self.at_hand.journal[self._journal_before :]
            self.leave_transaction()
            if not self.connection.invalidated:
                with self.ours():
                    self.connection.exec_driver_sql("ROLLBACK")
