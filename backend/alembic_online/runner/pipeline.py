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

from alembic import context
from alembic.runtime.migration import RevisionStep
from alembic.script import Script
from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError

from alembic_online.alembic_seam import Send, SupervisedContext, Supervisor
from alembic_online.errors import RevisionFailed
from alembic_online.policy import Policy
from alembic_online.postgres import sqlstate as state
from alembic_online.postgres.locks import needs_autocommit
from alembic_online.recipes.catalogue_precheck import is_in_vain, must_leave
from alembic_online.recipes.names import sql_of_definition
from alembic_online.runner import multi_statement as several
from alembic_online.runner.data_loss import refuse
from alembic_online.runner.data_loss_confirmation import Consent
from alembic_online.runner.data_loss_forecast import ask_ahead
from alembic_online.runner.data_loss_guard import AskFirst
from alembic_online.runner.effects import Effects
from alembic_online.runner.explicit_commits import OwnEnds, first_error
from alembic_online.runner.failure_summary import say_what_stays
from alembic_online.runner.interception import OnlineOperations
from alembic_online.runner.lock_wait import FreeWay, MustRetry
from alembic_online.runner.postconditions import SUSPICIONS, check_end_state, unfinished
from alembic_online.runner.statement_guard import StatementGuard
from alembic_online.runtime.activity import Activity
from alembic_online.runtime.history import Entry, History
from alembic_online.runtime.rehearsal import REHEARSAL
from alembic_online.runtime.row_security import every_row

log = logging.getLogger("alembic.runtime.migration")

_AGAIN = (state.LOCK_NOT_AVAILABLE, state.DEADLOCK_DETECTED)
_FIRST_PAUSE = 0.05  # seconds; doubles with every try up to Policy.max_retry_delay_seconds


class Apply(Supervisor):
    """The safeguards around one run of upgrade or downgrade.

    An operation goes through `execute`, from top to bottom; each statement that it sends, and each that the revision
    sends by the connection itself, then goes through the guard (`statement_guard`).
    """

    def __init__(
        self,
        migration_context: SupervisedContext,
        history: History,
        way: FreeWay,
        policy: Policy,
        activity: Activity,
        consent: Consent,
    ) -> None:
        self._context, self._history, self._way = migration_context, history, way
        self._policy, self._activity, self._consent = policy, activity, consent
        self._unfinished: list[str] | None = None
        self._any_done = False  # whether a revision is done already
        rehearsal = context.config.attributes.get(REHEARSAL)
        self._guard = StatementGuard(policy, history, way, activity, consent, rehearsal)
        self._effects = Effects(history, self._guard, policy, rehearsal)
        self._own_ends = OwnEnds(migration_context, self._guard, self._guard.losses.check)
        migration_context.opts["before_backfill"] = self._count_backfill  # for `op.backfill`
        send = partial(self._send, send=migration_context.send)
        self._online = OnlineOperations(migration_context, policy, self._guard, rehearsal, send)
        # In this order: a text with several statements is taken apart before anybody looks at one.
        several.attach(self._connection)
        self._own_ends.attach(self._connection)
        self._guard.attach(self._connection)
        self._effects.attach(self._connection)

    def steps(self, heads: Sequence[str], steps: Iterable[Any]) -> Iterator[Any]:
        """The revisions of the way, each with what surrounds it."""
        # Alembic has made its table in a transaction that would go on: trying the first revision again would undo it.
        self._connection.commit()
        self._history.settle()
        if isinstance(steps, list):  # all of the way is known, as it is to Alembic's own commands
            self._effects.refuse_half_undone(heads, steps)
            ask_ahead(self._connection, steps, self._consent)
        for step in steps:
            if isinstance(step, RevisionStep):
                step.migration_fn = self._around(step, step.migration_fn)
            yield step

    def _around(self, step: RevisionStep, migrate: Callable[..., None]) -> Callable[..., None]:
        @wraps(migrate)  # Alembic reports a step by its name
        def run(**arguments: Any) -> None:
            script = step.revision
            assert isinstance(script, Script)
            direction = "upgrade" if step.is_upgrade else "downgrade"
            before = unfinished(self._connection) if self._unfinished is None else self._unfinished
            version = self._policy.application_version
            entry = self._history.start(script.revision, direction, Path(script.path), version, before)
            if entry.interrupted_at:
                log.info("Going on with %s after step %s", script.revision, entry.interrupted_at)
            if entry.edited:
                log.warning(
                    "%s was edited since it was interrupted: statements that are committed already are passed over,"
                    " new and changed ones are run.",
                    Path(script.path).name,
                )
            try:
                self._until_it_passes(entry, script, lambda: migrate(**arguments))
            except BaseException as error:
                self._own_ends.adopt(self._connection)
                say_what_stays(error, entry)
                self._history.fail(entry, "failed" if isinstance(error, Exception) else "stopped")
                raise

        return run

    def _until_it_passes(self, entry: Entry, script: Script, migrate: Callable[[], None]) -> None:
        with self._guard.revision(entry), self._effects.revision(entry, Path(script.path)):
            self._guard.losses.begin(script, entry.direction)
            while True:
                self._activity.begin_revision(entry.revision, entry.direction)
                self._guard.new_transaction()
                try:
                    with self._online.revision(script):
                        migrate()
                    self._own_ends.rejoin(self._connection)
                    self._guard.losses.check()
                    leaves = getattr(script.module, "leaves", ())
                    self._let_go(leaves)
                    with self._guard.ours():
                        self._guard.settings.give_back(self._connection)
                    self._prove(entry)
                    # What the next revision finds, so it need not look.
                    self._unfinished = self._end(entry, leaves)
                    self._any_done = True
                    return
                except (DBAPIError, MustRetry) as error:
                    self._prepare_next_try(error, entry)

    def _let_go(self, leaves: Collection[str]) -> None:
        """Commit what holds strong locks: nobody waits for the proof and the stamp. The journal was written before.

        But for what stood in a savepoint: its journal is written now, which is one round trip and not three.
        """
        holds = self._guard.may_hold_locks or self._guard.holds_locks
        if holds and (leaves or not self._guard.may_leave_open):
            self._commit()

    def _prove(self, entry: Entry) -> None:
        """Of a revision that was committed in the middle, hold all of it against the catalogue before the stamp."""
        if entry.journal:
            if self._guard.journal.is_pending:
                self._commit()
            self._effects.prove(entry)

    def _commit(self) -> None:
        with self._context.autocommit_block():
            pass

    def _end(self, entry: Entry, leaves: Collection[str]) -> list[str]:
        """Complete the history and check the end state, in the transaction that will stamp; what is unfinished."""
        connection, before = self._connection, entry.unfinished_before
        with self._guard.ours():
            suspicion = self._history.finish(connection, entry, SUSPICIONS)
            try:
                return check_end_state(connection, suspicion, before=before, leaves=leaves, revision=entry.revision)
            except RevisionFailed:
                self._roll_back()  # the history's row is locked by it, and will say that this failed
                raise

    def _prepare_next_try(self, error: Exception, entry: Entry) -> None:
        """Roll back, and ask or pause; or raise what ends the tries."""
        if isinstance(error, AskFirst):
            self._ask(entry)
            return
        if not isinstance(error, MustRetry) and state.sqlstate(error) not in _AGAIN:
            raise error
        if time.monotonic() > self._guard.deadline:
            raise self._blocked(error, entry) from error
        entry.retries += 1
        self._start_again(entry)
        limit = min(self._policy.max_retry_delay_seconds, _FIRST_PAUSE * 2**entry.retries)
        self._activity.wait(f"Retrying {entry.revision} (attempt {entry.retries + 1})")
        # Full jitter: two migrations, or one and a cron job, do not meet again at the same instant.
        self._history.sleep(random.uniform(0, limit))

    def _start_again(self, entry: Entry) -> None:
        self._history.read_journal(entry)  # a commit that failed has kept nothing of what was to go with it
        self._roll_back()
        with self._guard.ours():
            self._guard.settings.give_back(self._connection)
        self._guard.start_again()

    def _ask(self, entry: Entry) -> None:
        """May what the downgrade drops go? The transaction is rolled back first: nobody waits for a person's answer."""
        lost = self._guard.losses.found
        self._start_again(entry)
        if not self._consent.ask(lost, entry.revision):
            begun = entry.journal or self._any_done
            done = (
                f"it has stopped before that: the database is at {entry.revision}"
                if begun
                else "nothing was changed yet"
            )
            raise refuse({entry.revision: lost}, self._consent.allowed, done=done)

    def _blocked(self, error: Exception, entry: Entry) -> Exception:
        last = self._guard.last_lock
        return error if last is None else self._way.blocked(*last, entry)

    def _roll_back(self) -> None:
        """End the revision's transaction and begin a new one in its place, as Alembic's own autocommit_block does."""
        if (transaction := self._connection.get_transaction()) is not None:
            transaction.rollback()
        self._own_ends.rejoin(self._connection)
        self._guard.new_transaction()

    def execute(self, construct: Executable | str, send: Send) -> Any:
        """Carry out an operation: each statement by itself, what it would change counted, then the online way of it."""
        result = None
        for each in several.split(construct):
            self._count_losses(each)
            result = self._online.execute(each, partial(self._send, each, send))
        return result

    def autocommit_block(self, leave: Callable[[], AbstractContextManager[None]]) -> AbstractContextManager[None]:
        """A block without a transaction, before which what stands above it is done."""
        return self._online.autocommit_block(partial(self._outside, leave))

    def _count_losses(self, construct: Executable | str) -> None:
        """Count what a new type would change before it is decided how the change is carried out."""
        if self._guard.entry is None:
            return
        outside = self._guard.autocommit
        with self._guard.ours(), every_row(self._connection, outside=True) if outside else nullcontext():
            self._guard.losses.before_change(self._connection, sql_of_definition(construct, self._context.dialect))
        if outside:
            self._guard.losses.check()

    def _count_backfill(self, update: str) -> None:
        """Count what a backfill is about to write over: its batches run on connections of their own."""
        if self._guard.entry is None:
            return
        outside = self._guard.autocommit
        with self._guard.ours(), every_row(self._connection, outside=True) if outside else nullcontext():
            self._guard.losses.before(self._connection, update, None, held=None, ours=True)
        if outside:
            self._guard.losses.check()

    def _send(self, construct: Executable | str, send: Send) -> Any:
        """Outside of the transaction what cannot, or need not, be in it, also where nobody wrote so."""
        sql = sql_of_definition(construct, self._context.dialect)
        inside = self._guard.autocommit or not must_leave(sql)
        if not inside and self._guard.entry is not None:
            with self._guard.ours():
                inside = is_in_vain(sql, self._online.database)
            if inside and needs_autocommit(sql):
                return None
        with nullcontext() if inside else self._outside(self._context.leave_transaction), self._guard.command():
            return send(construct)

    @contextmanager
    def _outside(self, leave: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
        """Alembic's block, which commits what came before: the journal is committed with it."""
        self._guard.losses.check()
        self._own_ends.rejoin(self._connection)
        with self._guard.ours():
            self._guard.settings.note(self._connection)
        self._guard.before_commit(self._connection)
        with first_error(), leave():
            self._guard.autocommit = True
            self._guard.new_transaction()
            with self._guard.ours():
                self._guard.settings.set_again(self._connection)
            try:
                yield
            finally:
                self._guard.give_up_transaction(self._connection)
                self._guard.autocommit = False
                self._guard.new_transaction()
        self._guard.settings.begin()

    @property
    def _connection(self) -> Connection:
        assert self._context.connection is not None
        return self._context.connection
