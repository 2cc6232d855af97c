"""How a revision's statement comes to its locks: the free way, then the staged lock, then the short limits."""

from sqlalchemy import Connection

from alembic_online.policy import Policy
from alembic_online.postgres.locks import LockMode
from alembic_online.runner.advisory_deadlock import refuse_deadlock
from alembic_online.runner.deferred_constraints import check_deferred
from alembic_online.runner.held_locks import HeldLocks
from alembic_online.runner.lock_wait import FreeWay, stage
from alembic_online.runner.statement import Statement
from alembic_online.runtime.activity import Activity
from alembic_online.runtime.history import Entry
from alembic_online.runtime.lock_timeout import TimeLimits
from alembic_online.runtime.pending_detach import refuse_to_change

_SAVEPOINTS = ("SAVEPOINT", "RELEASE", "ROLLBACK")


class LockTaker:
    """The locks and limits of one session."""

    def __init__(self, policy: Policy, way: FreeWay, activity: Activity) -> None:
        self.limits, self._policy = TimeLimits(policy), policy
        self._way, self._held, self.activity = way, HeldLocks(), activity
        self.last: tuple[str, LockMode] | None = None
        """The lock that was asked for last."""
        self._wanted: list[tuple[str, LockMode]] = []
        """What the statement at hand locks, and is not held: the way to it is free."""
        self._to_stage: frozenset[str] = frozenset()
        self._has_rows = False
        self._may_have_rows = False
        """The same, or it has asked something that may have: a function."""
        self._defers = False
        """The revision has deferred checks of rows that are not deferred by themselves."""

    @property
    def held_for(self) -> float | None:
        """Seconds that others may be held up by what comes now; None where they are not."""
        return self._policy.lock_timeout if self._held else None

    def forget(self) -> None:
        """A transaction began or ended: its locks and limits are gone."""
        self._has_rows = self._may_have_rows = self._defers = False
        self._wanted, self._to_stage = [], frozenset()
        self._held.forget()
        self.limits.forget()
        self._way.forget_targets()

    def follow(self, statement: Statement, *, kept: bool) -> None:
        """Keep up with what the revision does to its session.

        `kept` says that it sets something which holds over our commits.
        """
        word, sql = statement.word, statement.sql
        # What it has set else would end with the transaction; at a COMMIT it has ended.
        self._held.together |= not kept and word not in _SAVEPOINTS and not sql.endswith(" AND CHAIN")
        self._defers |= word == "SET" and "CONSTRAINTS" in sql.upper() and "DEFERRED" in sql.upper()
        self.limits.of_the_revision |= word == "SET" and "timeout" in sql
        if self._held.follow(sql) or word == "RESET":
            self.limits.lose()

    def note_reading(self) -> None:
        """A query may call a function that writes rows."""
        self._may_have_rows = True

    def calm(self, connection: Connection) -> None:
        """Set the limits of a statement that takes no strong lock."""
        self.limits.calm(connection, holds_strong=bool(self._held))

    @property
    def holds(self) -> bool:
        """Whether strong locks are held."""
        return bool(self._held)

    @property
    def has_rows(self) -> bool:
        """Whether this transaction has written rows: who waits for one holds its table against a strong lock."""
        return self._has_rows

    @property
    def together(self) -> bool:
        """Whether what was done in this transaction must be seen at once, or not at all."""
        return self._held.together

    @property
    def may_be_undone(self) -> bool:
        """Whether the revision has a savepoint to go back to."""
        return self._held.may_be_undone

    def locked_by(self, statement: str) -> set[str]:
        """What `statement` locks strongly, of what others can see; a view goes with its tables."""
        return set(self._way.targets(statement).modes)

    @property
    def will_lock(self) -> bool:
        """Whether the statement at hand takes a strong lock that is not held yet."""
        return bool(self._wanted)

    def wait(self, connection: Connection, entry: Entry, statement: Statement, *, deadline: float) -> None:
        """In a transaction: return when the way to each table that `statement` locks is free.

        Raises `TableBlocked`, `MustRetry`.
        """
        modes, self._to_stage, detaching = self._way.targets(statement.sql)
        if detaching:
            refuse_to_change(connection, statement.sql, modes)
        self._held.together |= statement.belongs_together
        if self._may_have_rows:
            self.calm(connection)
            check_deferred(connection, statement.sql, deferred=self._defers)
        self._has_rows |= statement.writes_rows
        self._may_have_rows |= statement.writes_rows or statement.calls_functions
        self._wanted = self._held.missing(modes.items())
        for table, mode in self._wanted:
            self.last = (table, mode)
            # Who waits for a row of ours is in the way for as long as we wait for him; PostgreSQL sees no deadlock.
            free = not self._held and not self._has_rows
            self._way.wait(table, mode, entry, deadline=deadline, may_wait=free)

    def stage(self, connection: Connection, statement: Statement, *, bounded: bool = False) -> None:
        """After `wait`: take the weak lock before each strong one, and set the limits of `statement`."""
        wanted, self._wanted = self._wanted, []
        for table, mode in sorted(wanted):
            self.calm(connection)
            if table in self._to_stage:
                stage(connection, table)
            self._held[table] = mode
        if wanted:
            self.activity.size_before = self._way.size_before(statement.sql)
        if wanted or bounded:
            self.limits.strong(connection, bounded=bounded)
        else:
            self.calm(connection)

    def wait_outside(self, connection: Connection, entry: Entry, statement: Statement, *, deadline: float) -> None:
        """Outside of a transaction: a patient statement gets its limits, any other waits for its strong locks.

        VACUUM FULL, CLUSTER and the like have no transaction in which these could be staged.
        """
        if statement.is_patient:
            refuse_deadlock(connection, statement.sql)
            self.limits.patient(connection)
            return
        for table, mode in self._way.targets(statement.sql).modes.items():
            self.last = (table, mode)
            self._way.wait(table, mode, entry, deadline=deadline, may_wait=True)
        self.limits.strong(connection, local=False)
