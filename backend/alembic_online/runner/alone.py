"""A try of a revision that is alone with the database: as with plain Alembic, in one transaction with its stamp.

All that an online revision does besides is for others: to wait for their locks, to let go of ours, to commit in the
middle, and so to keep a journal. Nobody needs it where nobody else is connected to the database and each table takes
but an instant to change: CI, a new database, a test. Whoever comes in the middle waits that instant. Whatever is not
as expected (a lock that is held, an error, a revision that commits) ends the try: it is rolled back whole, and made
again with all safeguards, which know better what to do and say.

The history gets its row in the same transaction: nobody is there to see that the revision runs, and of a try that ends
there is nothing to go on with.
"""

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic.script import Script
from sqlalchemy import ColumnElement, and_, literal_column, select
from sqlalchemy.exc import DBAPIError

from alembic_online.postgres.errors import UserError
from alembic_online.runner.attempt import Attempt
from alembic_online.runner.effects import says_that_it_leaves
from alembic_online.runner.lock_wait import MustRetry
from alembic_online.runner.postconditions import SUSPICIONS, check_end_state, unfinished
from alembic_online.runner.transactions import Transactions
from alembic_online.runtime.history import Entry


class Alone:
    """Of one run: what each revision leaves, and whether the next one is alone."""

    def __init__(self, attempt: Attempt, transactions: Transactions) -> None:
        self._attempt, self._transactions, self._run = attempt, transactions, attempt.run
        self._left: list[str] | None = None
        self._is_alone = False

    @property
    def asked(self) -> Sequence[ColumnElement[Any]]:
        """Asked at the end of each revision, with what is written anyhow."""
        return _asked(self._own_pids, int(self._run.policy.small_table_bytes))

    def _asked_when_none_grew(self) -> Sequence[ColumnElement[Any]]:
        return _asked(self._own_pids, None)

    @property
    def _own_pids(self) -> tuple[int, ...]:
        return (*self._run.way.own_pids, *self._run.activity.watchers)

    def left(self) -> list[str]:
        """What is unfinished between two revisions. Only before the first one is it looked for."""
        if self._left is None:
            connection = self._run.connection
            found = connection.execute(select(*self.asked)).one()
            self._left = unfinished(connection) if found.unfinished else []
            self._is_alone = found.alone
        return self._left

    def note(self, left: list[str], *, alone: bool) -> None:
        """This is left, and nobody else is there."""
        self._left, self._is_alone = left, alone

    def passes(self, script: Script, direction: str, migrate: Callable[[], None]) -> bool:
        """Whether the revision was done so. If not, all of it is rolled back, and nothing is said of it.

        Raises what is no error of the database's and none of ours.
        """
        path, attempt = Path(script.path), self._attempt
        entry = Entry(0, script.revision, direction, unfinished_before=self.left())
        half_done = self._run.history.is_resumable(script.revision)
        if not self._is_alone or half_done or self._run.rehearsal is not None or says_that_it_leaves(path):
            return False
        with attempt.revision(entry, path):
            attempt.losses.begin(script, direction)
            self._run.activity.begin_revision(entry.revision, direction)
            attempt.new_transaction()
            try:
                with attempt.alone():
                    migrate()
                    attempt.losses.check()
                    with attempt.ours():
                        attempt.settings.give_back(self._run.connection)
                        self._end(entry, path, getattr(script.module, "leaves", ()))
            except (DBAPIError, MustRetry, UserError) as error:
                if isinstance(error, DBAPIError) and error.connection_invalidated:
                    raise
                self.undo()
                attempt.locks.limits.lose()  # what was set is rolled back
                return False
        return True

    def _end(self, entry: Entry, path: Path, leaves: Collection[str]) -> None:
        connection, version = self._run.connection, self._run.policy.application_version
        asked = self.asked if self._attempt.may_fill_tables else self._asked_when_none_grew()
        found = self._run.history.record(connection, entry, path, version, asked)
        before, revision = entry.unfinished_before, entry.revision
        left = check_end_state(connection, found, before=before, leaves=leaves, revision=revision)
        self.note(left, alone=found.alone)

    def undo(self) -> None:
        """Roll all of the revision's transaction back, and begin another one."""
        self._transactions.roll_back()
        with self._attempt.ours():
            self._attempt.settings.give_back(self._run.connection)
        self._attempt.start_again()


@lru_cache(maxsize=8)  # to write such a statement takes as long as to send it, and a chain asks it after each revision
def _asked(own_pids: tuple[int, ...], large: int | None) -> Sequence[ColumnElement[Any]]:
    """Whether anything is suspicious, nobody else is there, and no table has as many bytes as a `large` one."""
    alone = [nobody_else(own_pids), *(() if large is None else (no_table_of(large),))]
    return (*SUSPICIONS, and_(*alone).label("alone"))


def nobody_else(own_pids: Sequence[int]) -> ColumnElement[bool]:
    """Whether no other session than those of `own_pids` is connected to the database.

    False too where a prepared transaction or a partition that is half detached may hold something up. An autovacuum
    stops nobody for long. A role sees of other sessions at least that they are there (PostgreSQL 16 to 18).
    """
    return literal_column(f"""
    NOT EXISTS (SELECT FROM pg_stat_get_activity(NULL) a JOIN pg_database d ON d.oid = a.datid
                WHERE d.datname = current_database() AND a.pid NOT IN ({", ".join(map(str, own_pids))})
                  AND a.backend_type IS DISTINCT FROM 'autovacuum worker')
    AND NOT EXISTS (SELECT FROM pg_prepared_xacts WHERE database = current_database())
    AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhdetachpending)""")


def no_table_of(size: int) -> ColumnElement[bool]:
    """Whether no table, with its partitions, has so many bytes; 0.03 ms for each table."""
    # Most tables of such a database have nothing on disk. Of them, nothing else is asked.
    return literal_column(f"""
    NOT EXISTS (
      SELECT FROM (SELECT oid, relispartition FROM pg_class
                   WHERE relkind IN ('r', 'm') AND oid >= 16384 AND pg_relation_size(oid) > 0 OFFSET 0) AS c
      GROUP BY CASE WHEN relispartition THEN pg_partition_root(oid) ELSE oid END
      HAVING sum(pg_table_size(oid)) >= {size})""")
