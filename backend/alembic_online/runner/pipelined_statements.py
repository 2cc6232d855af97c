"""Statements that are known beforehand run with nothing between them: all is asked, noted and staged before the first.

So a strong lock is held for statements alone. Whoever waits for one waits for no question, no note and no journal.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from alembic_online.recipes.step import Step
from alembic_online.runner.attempt import Attempt
from alembic_online.runner.statement import Statement


@dataclass(frozen=True)
class Planned:
    """One statement of several."""

    sql: str
    operation: str = ""
    """The operation that it is a step of, as the journal knows it."""
    step: Step | None = None
    bounded: bool = False
    """It may work no longer than it may wait for its lock."""


@contextmanager
def together(attempt: Attempt, planned: Sequence[Planned], *, commits: bool) -> Iterator[Collection[int]]:
    """What runs in the block are those of `planned`, in their order, whose places are given: no others are left to do.

    With `commits` the block ends with the commit, and the journal is written before the first lock.
    """
    entry = attempt.at_hand
    before = len(entry.journal)
    entry.committed = before if commits else None
    try:
        with attempt.ours():
            left = {place: key for place, each in enumerate(planned) if (key := _key_of(attempt, each))}
            if left:
                _prepare(attempt, [planned[place] for place in left], left.values(), commits=commits)
        with attempt.prepared(left.values()):
            yield left.keys()
    except BaseException:
        if commits:  # what was written down is rolled back
            del entry.journal[before:]
        raise
    finally:
        entry.committed = None


def _key_of(attempt: Attempt, planned: Planned) -> str:
    """By which the journal will know it; "" where an earlier try has done it, or nothing is left to do."""
    with attempt.journal.again(planned.operation):
        key = attempt.journal.key(planned.sql, None, has_read=False)
    if attempt.journal.rows(key) is not None:
        return ""
    if planned.step is not None:
        if planned.step.is_done(attempt.connection):
            return ""
        if planned.step.obstacle is not None:
            planned.step.obstacle.look(attempt.connection)
    return key


def _prepare(attempt: Attempt, planned: Sequence[Planned], keys: Collection[str], *, commits: bool) -> None:
    """What the safeguards do for one statement (`safeguards`), for all of them."""
    for each in planned:
        attempt.begin_step(Statement.of(each.sql))
        attempt.losses.before(attempt.connection, each.sql, (), held=attempt.locks.held_for, ours=True)
    attempt.note_step()
    attempt.run.history.settle()
    for key in keys:
        attempt.journal.add(key, 0)
    if commits:
        attempt.losses.check()
        attempt.settings.note_ahead(attempt.connection)
        attempt.before_commit()
    whole = Statement.of(";\n".join(each.sql for each in planned))
    attempt.locks.wait(attempt.connection, attempt.at_hand, whole, deadline=attempt.deadline)
    attempt.look_for_older_releases()
    if not commits and (attempt.locks.will_lock or whole.calls_functions):
        attempt.write_ahead([])
    attempt.locks.stage(attempt.connection, whole, bounded=any(each.bounded for each in planned))
