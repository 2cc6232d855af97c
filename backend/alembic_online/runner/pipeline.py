"""What surrounds Alembic's `run_migrations`: the safeguards, in their order and with the reason for it.

1. The migrator's lock, before anything is read: what is pending is only known when nobody else migrates.
2. The history's row, before the revision begins: whoever looks sees what runs, and a crash leaves its trace.
3. The revision itself, its statements guarded; on a lock timeout or a deadlock all of it again, after a random pause.
4. The history's end, in the transaction of the stamp: both or neither.
5. The end state, before the stamp: a revision that leaves something unfinished is not applied.
"""

import logging
import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial, wraps
from pathlib import Path
from typing import Any

from alembic.runtime.migration import RevisionStep
from alembic.script import Script
from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError

from alembic_online.alembic_seam import Send, Supervisor
from alembic_online.errors import RevisionFailed
from alembic_online.postgres import sqlstate as state
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import sql_of_definition
from alembic_online.runner import multi_statement as several
from alembic_online.runner.alone import Alone
from alembic_online.runner.asked_lines import text_of_line
from alembic_online.runner.attempt import Attempt
from alembic_online.runner.catalogue_queries import Questions
from alembic_online.runner.connection_events import ConnectionEvents
from alembic_online.runner.data_loss import refuse
from alembic_online.runner.data_loss_forecast import ask_ahead
from alembic_online.runner.data_loss_guard import AskFirst
from alembic_online.runner.effects import Effects
from alembic_online.runner.execution import Running
from alembic_online.runner.failure_summary import say_what_stays
from alembic_online.runner.interception import OnlineOperations
from alembic_online.runner.lock_wait import MustRetry
from alembic_online.runner.postconditions import check_end_state
from alembic_online.runner.run import Run
from alembic_online.runner.timing import Timing
from alembic_online.runner.transactions import Transactions
from alembic_online.runtime.history import Entry
from alembic_online.runtime.row_security import every_row
from alembic_online.runtime.run_at_hand import RunAtHand

log = logging.getLogger("alembic.runtime.migration")

_AGAIN = (state.LOCK_NOT_AVAILABLE, state.DEADLOCK_DETECTED, state.CHANGED_MEANWHILE)
_FIRST_PAUSE = 0.05  # seconds; doubles with every try up to Policy.max_retry_delay_seconds


class Apply(Supervisor):
    """The safeguards around one run of upgrade or downgrade.

    An operation goes through `execute`, from top to bottom; each statement that it sends, and each that the revision
    sends by the connection itself, then goes through the safeguards (`safeguards`).
    """

    def __init__(self, run: Run) -> None:
        self._run, self._history = run, run.history
        self._any_done = False  # whether a revision is done already
        self._changed = ""  # what a swap last found changed
        self._attempt = Attempt(run)
        database = Database(run.policy, Questions(self._attempt))
        self._transactions = Transactions(self._attempt, database)
        self._alone = Alone(self._attempt, self._transactions)
        running = Running(self._attempt, self._transactions, database)
        timing = Timing(self._attempt, database, running)
        self._operations = OnlineOperations(self._attempt, database, self._transactions, running, timing)
        self._effects = Effects(self._attempt, self._transactions)
        ConnectionEvents(self._attempt, timing, self._effects).attach()
        RunAtHand(
            run.policy,
            run.activity,
            run.beside,
            run.rehearsal,
            is_in_savepoint=lambda: self._attempt.locks.may_be_undone,
            settings=self._attempt.settings_for_others,
            count_overwritten=self._count_backfill,
            once=self._once,
        ).announce(run.context)

    def steps(self, heads: Sequence[str], steps: Iterable[Any]) -> Iterator[Any]:
        """The revisions of the way, each with what surrounds it."""
        # Alembic has made its table in a transaction that would go on: trying the first revision again would undo it.
        self._run.connection.commit()
        self._history.settle()
        check = self._run.hand_changes
        if check is not None:
            check.before_steps()
        if isinstance(steps, list):  # all of the way is known, as it is to Alembic's own commands
            self._effects.refuse_half_undone(heads, steps)
            ask_ahead(self._run.connection, steps, self._run.consent)
        for step in steps:
            if isinstance(step, RevisionStep):
                if self._run.gate is not None and not self._run.gate.lets_pass(step):
                    break
                step.migration_fn = self._around(step, step.migration_fn)
            yield step
            if check is not None:  # Alembic has committed it by now
                check.after_step()
        if check is not None:
            check.end()

    def _around(self, step: RevisionStep, migrate: Callable[..., None]) -> Callable[..., None]:
        @wraps(migrate)  # Alembic reports a step by its name
        def run(**arguments: Any) -> None:
            script = step.revision
            assert isinstance(script, Script)
            direction = "upgrade" if step.is_upgrade else "downgrade"
            path, version = Path(script.path), self._run.policy.application_version
            begin = partial(self._history.start, script.revision, direction, path, version, self._alone.left())
            entry: Entry | None = None
            try:
                if not self._alone.passes(script, direction, partial(migrate, **arguments)):
                    entry = begin()
                    self._tell(entry, path)
                    self._pass_with_care(entry, script, partial(migrate, **arguments))
            except BaseException as error:
                self._transactions.adopt()
                entry = entry or begin()
                say_what_stays(error, entry)
                self._history.fail(entry, "failed" if isinstance(error, Exception) else "stopped")
                raise
            self._any_done = True

        return run

    def _tell(self, entry: Entry, path: Path) -> None:
        if entry.interrupted_at:
            log.info("Going on with %s after step %s", entry.revision, entry.interrupted_at)
        if entry.edited:
            log.warning(
                "%s was edited since it was interrupted: statements that are committed already are passed over,"
                " new and changed ones are run.",
                path.name,
            )

    def _pass_with_care(self, entry: Entry, script: Script, migrate: Callable[[], None]) -> None:
        path = Path(script.path)
        with self._attempt.revision(entry, path), self._effects.revision(entry, path):
            self._attempt.losses.begin(script, entry.direction)
            while True:
                self._run.activity.begin_revision(entry.revision, entry.direction)
                self._attempt.new_transaction()
                try:
                    with self._operations.revision(script):
                        migrate()
                    self._transactions.rejoin()
                    self._attempt.losses.check()
                    leaves = getattr(script.module, "leaves", ())
                    self._let_go(leaves)
                    with self._attempt.ours():
                        self._attempt.settings.give_back(self._run.connection)
                    self._prove(entry)
                    self._end(entry, leaves)
                    return
                except (DBAPIError, MustRetry) as error:
                    self._prepare_next_try(error, entry)

    def _let_go(self, leaves: Collection[str]) -> None:
        """Commit what holds strong locks: nobody waits for the proof and the stamp. The journal was written before.

        But for what stood in a savepoint: its journal is written now, which is one round trip and not three.
        """
        holds = self._attempt.has_written_ahead or self._attempt.locks.holds
        if holds and (leaves or not self._attempt.may_leave_open):
            self._transactions.commit()

    def _prove(self, entry: Entry) -> None:
        """Of a revision that was committed in the middle, hold all of it against the catalogue before the stamp."""
        if entry.journal:
            if self._attempt.journal.is_pending:
                self._transactions.commit()
            self._effects.prove(entry, self._transactions.commit)

    def _end(self, entry: Entry, leaves: Collection[str]) -> None:
        """Complete the history and check the end state, in the transaction that will stamp."""
        connection, before = self._run.connection, entry.unfinished_before
        with self._attempt.ours():
            found = self._history.finish(connection, entry, self._alone.asked)
            try:
                left = check_end_state(connection, found, before=before, leaves=leaves, revision=entry.revision)
            except RevisionFailed:
                self._transactions.roll_back()  # the history's row is locked by it, and will say that this failed
                raise
            self._alone.note(left, alone=found.alone)

    def _prepare_next_try(self, error: Exception, entry: Entry) -> None:
        """Roll back, and ask or pause; or raise what ends the tries."""
        if isinstance(error, AskFirst):
            self._ask(entry)
            return
        if not isinstance(error, MustRetry) and state.sqlstate(error) not in _AGAIN:
            raise error
        if state.sqlstate(error) == state.CHANGED_MEANWHILE:
            self._look_again(error, entry)
        if time.monotonic() > self._attempt.deadline:
            raise self._blocked(error, entry) from error
        entry.retries += 1
        self._start_again(entry)
        limit = min(self._run.policy.max_retry_delay_seconds, _FIRST_PAUSE * 2**entry.retries)
        self._run.activity.wait(f"Retrying {entry.revision} (attempt {entry.retries + 1})")
        # Full jitter: two migrations, or one and a cron job, do not meet again at the same instant.
        self._history.sleep(random.uniform(0, limit))

    def _look_again(self, error: Exception, entry: Entry) -> None:
        """Fail where a swap finds what the try before has found: nobody has changed anything between the two."""
        says = state.server_message(error)
        found = f"{entry.revision} {says} {state.server_field(error, 'detail')}"
        if found == self._changed:
            raise RevisionFailed(
                f"The cut-over of {entry.revision} is refused, twice for the same: {says}.",
                "But between the two tries nobody has: a line of the revision itself changes it, above the new type.\n"
                "Put the lines that change the table's indexes or constraints into a revision of their own,"
                " then run the same command again.",
            ) from error
        self._changed = found

    def _start_again(self, entry: Entry) -> None:
        self._history.read_journal(entry)  # a commit that failed has kept nothing of what was to go with it
        self._alone.undo()

    def _ask(self, entry: Entry) -> None:
        """May what the downgrade drops go? The transaction is rolled back first: nobody waits for a person's answer."""
        lost = self._attempt.losses.found
        self._start_again(entry)
        if not self._run.consent.ask(lost, entry.revision):
            begun = entry.journal or self._any_done
            done = (
                f"it has stopped before that: the database is at {entry.revision}"
                if begun
                else "nothing was changed yet"
            )
            raise refuse({entry.revision: lost}, self._run.consent.allowed, done=done)

    def _blocked(self, error: Exception, entry: Entry) -> Exception:
        last = self._attempt.locks.last
        return error if last is None else self._run.way.blocked(*last, entry)

    def execute(self, construct: Executable | str, send: Send) -> Any:
        """Carry out an operation: each statement by itself, what it would change counted, then the online way of it."""
        result = None
        for each in several.split(construct):
            self._count_losses(each)
            # Before it is carried out: a recipe may rename it.
            line = "" if self._attempt.is_alone or self._attempt.in_steps else text_of_line(each)
            result = self._operations.execute(each, send)
            if line and self._attempt.entry is not None:
                self._attempt.note_line(line)
            self._operations.show()
        return result

    def autocommit_block(self, leave: Callable[[], AbstractContextManager[None]]) -> AbstractContextManager[None]:
        """A block without a transaction, before which what stands above it is done."""
        return self._operations.autocommit_block()

    def _count_losses(self, construct: Executable | str) -> None:
        """Count what a new type would change before it is decided how the change is carried out."""
        if self._attempt.entry is not None and self._attempt.losses.counts:
            with self._counting() as connection:
                self._attempt.losses.before_change(connection, sql_of_definition(construct, self._run.context.dialect))

    def _count_backfill(self, update: str) -> None:
        """Count what a backfill is about to write over: its batches run on connections of their own."""
        if self._attempt.is_alone:
            raise MustRetry  # it commits
        if self._attempt.entry is not None:
            with self._counting() as connection:
                self._attempt.losses.before(connection, update, None, held=None, ours=True)

    def _once(self, words: str, run: Callable[[], None]) -> None:
        if self._attempt.entry is None:
            run()
            return
        self._attempt.journal.once(words, run, again=self._effects.left_alone_since)
        if not self._attempt.is_outside:
            self._transactions.commit()

    @contextmanager
    def _counting(self) -> Iterator[Connection]:
        """Count on this connection. Outside of a transaction what is lost must be confirmed at once."""
        connection, outside = self._run.connection, self._attempt.is_outside
        with self._attempt.ours(), every_row(connection, outside=True) if outside else nullcontext():
            yield connection
        if outside:
            self._attempt.losses.check()
