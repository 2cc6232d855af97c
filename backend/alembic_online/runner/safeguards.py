"""What is done around each statement of a revision, wherever it comes from (op.*, op.execute, a session).

`SAFEGUARDS` is the order that runs. SQLAlchemy tells a listener before and after a statement, and lets nobody call it
in between. So a safeguard is a generator, which waits at its `yield` while the statement runs: what stands above it is
done before, in the order of the tuple; what stands below it is done afterwards, in the opposite one. After a statement
that fails nothing is done: its transaction is rolled back. One that ends without a `yield` has no part in a statement.
"""

import re
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import text

from alembic_online.runner.attempt import Attempt
from alembic_online.runner.interrupted_ddl import is_complete_or_begins
from alembic_online.runner.lock_wait import MustRetry
from alembic_online.runner.replay import NOTHING, again, empty, keep
from alembic_online.runner.statement import Statement
from alembic_online.runtime.rehearsal import NextStatement

_MAY_BREAK_INDEX = re.compile(r"\b(TYPE|DROP\s+(INDEX|CONSTRAINT))\b", re.IGNORECASE)
_DELICATE = text(
    "SELECT EXISTS (SELECT FROM pg_class WHERE relkind IN ('i', 'I') AND relam >= 16384)"
    " OR EXISTS (SELECT FROM pg_index WHERE indisreplident)"
)


@dataclass(frozen=True)
class Instead:
    """Yielded by the last that a statement comes to: this is sent in its place."""

    sql: str
    parameters: Any


SEND: Final = None
"""Yielded by all others: the statement goes on to the next, and is sent."""
Around: TypeAlias = Generator[Instead | None, Any, None]
"""What it gets for its `yield` is the driver's cursor."""
Safeguard: TypeAlias = Callable[[Statement, Attempt], Around]


def follow_session(statement: Statement, attempt: Attempt) -> Around:
    """SET, SAVEPOINT and the like hold for a session, which is another one after a crash: so they run again."""
    kept = attempt.settings.follow(attempt.connection, statement.sql)
    if statement.is_of_the_session or kept:
        attempt.locks.follow(statement, kept=kept)
        yield Instead(statement.sent, statement.parameters)


def let_read(statement: Statement, attempt: Attempt) -> Around:
    """What comes after a query may depend on its answer. An operation's is there for its effect."""
    if statement.is_query and not attempt.nobody_reads:
        attempt.note_reading()
        yield Instead(statement.sent, statement.parameters)


def end_failed(_: Statement, attempt: Attempt) -> Around:
    """The revision has caught the error of the last statement, whose transaction was one of ours: that is over."""
    attempt.end_failed_statement()
    yield SEND


def replay_committed(statement: Statement, attempt: Attempt) -> Around:
    """What an earlier try has committed, or whose step is done, is passed over, with the same number of rows."""
    journal, key = attempt.journal, attempt.name(statement)
    rows = journal.rows(key)
    if rows is None and attempt.step is not None and attempt.step.is_done(attempt.connection):
        rows = 0
    if rows is not None:
        attempt.pass_over()
        returned = None if attempt.nobody_reads else journal.returned(key)
        yield Instead(again(attempt.connection, statement.sql, rows, returned), empty(statement.parameters))


def show_step(statement: Statement, attempt: Attempt) -> Around:
    """Whoever watches sees what comes, in the history too."""
    attempt.note_temporary(statement.sql)
    attempt.begin_step(statement)
    if not attempt.is_alone:
        attempt.note_step()
    if attempt.is_outside:
        attempt.run.history.settle()  # what commits by itself must not be without its note
    yield SEND


def check_rows(_: Statement, attempt: Attempt) -> Around:
    """Rows that break a step are found before it is tried; the look is work, and no waiting."""
    if attempt.step is not None and attempt.step.obstacle is not None:
        begun = time.monotonic()
        with attempt.question() as connection:
            attempt.step.obstacle.look(connection, outside=attempt.is_outside)
        attempt.add_work(begun)
    yield SEND


def choose_transaction(statement: Statement, attempt: Attempt) -> Around:
    """Outside of the revision's own, what could be inside one gets one, and is committed with its journal."""
    if attempt.is_outside:
        if not statement.must_stay_outside:
            attempt.begin_single_statement()
        yield SEND
        attempt.before_commit()
        if attempt.in_single_statement:
            attempt.commit_single_statement()


def count_data_loss(statement: Statement, attempt: Attempt) -> Around:
    """What a downgrade destroys, by the text. What is committed by itself is asked about now, any other later."""
    if not attempt.commits_by_itself:
        held, ours = attempt.locks.held_for, attempt.step is not None
        attempt.losses.before(attempt.connection, statement.sent, statement.parameters, held=held, ours=ours)
        if attempt.in_single_statement:
            attempt.losses.check()
        yield SEND


def wait_for_locks(statement: Statement, attempt: Attempt) -> Around:
    """Until nobody holds the tables for long: without standing in the queue, where others would wait behind us."""
    wait = attempt.locks.wait_outside if attempt.commits_by_itself else attempt.locks.wait
    wait(attempt.connection, attempt.at_hand, _told(statement, attempt), deadline=attempt.deadline)
    yield SEND


def leave_to_care(statement: Statement, attempt: Attempt) -> Around:
    """What PostgreSQL lets pass may break an index of an extension's access method, or a replica identity.

    HNSW cannot be built again on a type without dimensions (pgvector), and who replicates needs the identity.
    """
    if _MAY_BREAK_INDEX.search(statement.sql) and attempt.connection.scalar(_DELICATE):
        raise MustRetry
    yield SEND


def bound(_: Statement, attempt: Attempt) -> Around:
    """Somebody may have come since nobody was there: what waits or works longer than that is done again with care."""
    attempt.locks.limits.strong(attempt.connection, local=False, bounded=True)
    yield SEND


def resume_interrupted(statement: Statement, attempt: Attempt) -> Around:
    """Of one that commits by itself: what an interrupted try has left is cleared away, if it did not complete it."""
    if attempt.commits_by_itself and is_complete_or_begins(attempt, statement):
        attempt.pass_over()
        yield Instead(NOTHING, empty(statement.parameters))


def look_for_older_releases(_: Statement, attempt: Attempt) -> Around:
    """Of a contract, once more before each strong lock: a release before it may have come since."""
    attempt.look_for_older_releases()
    yield SEND


def write_journal(statement: Statement, attempt: Attempt) -> Around:
    """Before a strong lock, or what may take one without saying so: beside that nothing is to be written."""
    if not attempt.commits_by_itself and (attempt.locks.will_lock or _told(statement, attempt).calls_functions):
        attempt.write_ahead([attempt.key])
    yield SEND


def stage_locks(statement: Statement, attempt: Attempt) -> Around:
    """A weak lock before each strong one, for which an autovacuum makes way; and how long the statement may wait."""
    if not attempt.commits_by_itself:
        attempt.locks.stage(attempt.connection, _told(statement, attempt))
    yield SEND


def _told(statement: Statement, attempt: Attempt) -> Statement:
    """What blocks of ours do is known."""
    return statement if attempt.step is not None else statement.told


def find_data_loss(_: Statement, attempt: Attempt) -> Around:
    """What a function, a DO block or a MERGE has destroyed, which no text tells."""
    yield SEND
    attempt.losses.after(attempt.connection)
    if attempt.in_single_statement:
        attempt.losses.check()


def rehearse(statement: Statement, attempt: Attempt) -> Around:
    """Who only wants to see what would run is told."""
    if (rehearsal := attempt.run.rehearsal) is not None:
        line, outside = attempt.run.activity.written_at, attempt.commits_by_itself
        rehearsal.before(attempt.connection, NextStatement(attempt.at_hand.revision, statement.sql, outside, line))
        yield SEND
        rehearsal.after(attempt.connection)


def record(_: Statement, attempt: Attempt) -> Around:
    """What ran is noted in the journal with what it told, unless that was written before a lock."""
    cursor = yield SEND
    key = attempt.key
    attempt.pass_over()
    attempt.add_work(attempt.run.activity.since)
    attempt.run.history.settle()
    if not attempt.journal.is_added(key):
        attempt.journal.add(key, cursor.rowcount, "" if attempt.nobody_reads else keep(cursor))


SAFEGUARDS: tuple[Safeguard, ...] = (
    follow_session,  # what is of the session is no step: no journal has it
    let_read,  # nor is a query
    end_failed,  # before the next statement has anything to do with the journal or a transaction
    replay_committed,  # what is committed is not counted, waited for, or run again
    show_step,  # from here on whoever watches sees for what it waits
    check_rows,  # before anything is locked
    choose_transaction,  # around all that is to be committed with it
    count_data_loss,  # may take a while: before anybody has to wait for us
    wait_for_locks,  # with nothing locked, as far as that goes
    resume_interrupted,  # what is cleared away needs the same limits
    look_for_older_releases,  # as late as it can be while nothing is locked for it
    write_journal,  # the last that is written before a strong lock
    stage_locks,  # from here on others may wait for us
    find_data_loss,  # before it can be committed
    rehearse,  # sees the statement with all of its locks, before and after
    record,  # what ran is noted before anything else is done about it
)
ALONE: tuple[Safeguard, ...] = (follow_session, show_step, leave_to_care, bound, count_data_loss, find_data_loss)
"""Around one of a revision that nobody notices (`alone`)."""
PREPARED: tuple[Safeguard, ...] = (find_data_loss, rehearse)
"""Around one of several for which the rest was done together (`pipelined_statements`)."""


class Safeguards:
    """Around the statements of one run, one after the other."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._begun: list[Around] = []

    def before(self, statement: Statement) -> tuple[str, Any]:
        """What is sent, with its parameters: the statement, or what stands in for one that is done already."""
        self._begun = []
        if statement.sent == NOTHING:  # in the place of one that waits
            return statement.sent, statement.parameters
        with self._attempt.ours():
            for safeguard in self._at_hand():
                around = safeguard(statement, self._attempt)
                if (instead := next(around, None)) is not None:
                    self._begun = []
                    return instead.sql, instead.parameters
                self._begun.append(around)
        return statement.sent, statement.parameters

    def _at_hand(self) -> tuple[Safeguard, ...]:
        if self._attempt.is_alone:
            return ALONE
        return PREPARED if self._attempt.is_prepared else SAFEGUARDS

    def after(self, cursor: Any) -> None:
        """It has run."""
        begun, self._begun = self._begun, []
        with self._attempt.ours():
            for around in reversed(begun):
                with suppress(StopIteration):
                    around.send(cursor)
