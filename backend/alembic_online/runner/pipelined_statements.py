"""Statements that are known beforehand run with nothing between them: all is asked, noted and staged before the first.

So a strong lock is held for statements alone. Whoever waits for one waits for no question, no note and no journal.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from alembic_online.recipes.step import Step

if TYPE_CHECKING:
    from alembic_online.runner.statement_guard import StatementGuard


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
def together(
    guard: "StatementGuard", connection: Connection, planned: Sequence[Planned], *, commits: bool
) -> Iterator[frozenset[int]]:
    """What runs in the block are those of `planned`, in their order, whose places are given: no others are left to do.

    With `commits` the block ends with the commit, and the journal is written before the first lock.
    """
    assert guard.entry is not None
    journal, before = guard.journal, len(guard.entry.journal)
    guard.entry.committed = before if commits else None
    try:
        with guard.ours():
            left = {place: key for place, each in enumerate(planned) if (key := _key_of(guard, connection, each))}
            if left:
                statements = [planned[place].sql for place in left]
                bounded = any(planned[place].bounded for place in left)
                guard.prepare(connection, statements, bounded=bounded, keys=left.values(), commits=commits)
        guard.prepared = bool(left)
        yield frozenset(left)
    except BaseException:
        if commits:  # what was written down is rolled back
            del guard.entry.journal[before:]
        raise
    finally:
        guard.prepared, guard.entry.committed = False, None
    assert journal is guard.journal, "a revision has one"


def _key_of(guard: "StatementGuard", connection: Connection, planned: Planned) -> str:
    """By which the journal will know it; "" where an earlier try has done it, or nothing is left to do."""
    with guard.journal.again(planned.operation):
        key = guard.journal.key(planned.sql, None, has_read=False)
    if guard.journal.rows(key) is not None:
        return ""
    if planned.step is not None:
        if planned.step.is_done(connection):
            return ""
        if planned.step.obstacle is not None:
            planned.step.obstacle.look(connection)
    return key
