"""Before a strong lock is queued for: wait until nobody holds the table for long, without standing in the queue.

Whoever queues behind a long transaction makes everybody else wait behind himself. So we look first, from another
connection, and go to the queue when the way is free; who is quick enough to slip in between costs a client no more than
`Policy.lock_timeout`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from alembic_online.errors import TableBlocked
from alembic_online.policy import Policy
from alembic_online.postgres.locks import LockMode, strong_locks
from alembic_online.postgres.locks.targets import LockTargets, lock_targets
from alembic_online.postgres.sql.verbatim import run_as_written
from alembic_online.runner.server_progress import database_size, may_rewrite
from alembic_online.runtime.activity import Activity
from alembic_online.runtime.control_connection import Asking
from alembic_online.runtime.history import Entry

if TYPE_CHECKING:
    from alembic_online.postgres.blockers import Blocker

_POLL = 0.1  # seconds
# An index is locked together with its table, and clients wait for that one.
_INDEXES = ("index", "indexes of table")


class MustRetry(Exception):
    """The way is not free, and this transaction holds strong locks: it must let go of them before anybody waits."""


class FreeWay:
    """Looks and waits for one migration; `asking` is a connection that is not the migration's."""

    def __init__(self, asking: Asking, own_pids: tuple[int, int], policy: Policy, activity: Activity) -> None:
        """`own_pids` are those of the session of the revisions and of the one that asks."""
        self._asking, self.own_pids, self._policy, self._activity = asking, own_pids, policy, activity
        self._own_pid, _ = own_pids
        self.last: list[Blocker] = []
        """Who was in the way at the last look."""
        self._targets: dict[str, LockTargets] = {}
        """Of the statements of one transaction: until its end nothing that others see is changed by us."""
        self._first_seen: dict[str, float] = {}
        """When each transaction was first seen whose age this role may not see, by `time.monotonic`."""

    def targets(self, statement: str) -> LockTargets:
        """What others can see, and so hold, of what `statement` locks; a new table of ours is not among it."""
        locks = [lock for lock in strong_locks(statement) if lock.mode >= LockMode.SHARE and lock.kind not in _INDEXES]
        if not locks:
            return LockTargets({}, frozenset())
        if statement not in self._targets:
            self._targets[statement] = self._asking.ask(lambda connection: lock_targets(connection, locks))
        return self._targets[statement]

    def forget_targets(self) -> None:
        """A transaction of ours has ended: a name may mean something else."""
        self._targets.clear()

    def size_before(self, statement: str) -> int | None:
        """Of the database, in bytes, where growth will tell how far `statement` is."""
        return self._asking.ask(database_size) if may_rewrite(statement) else None

    def wait(self, table: str, mode: LockMode, entry: Entry, *, deadline: float, may_wait: bool) -> None:
        """Return when nobody holds `table` for longer than a lock timeout. Raises `TableBlocked`, `MustRetry`."""
        begun = time.monotonic()
        in_the_way = self._look(table, mode)
        if may_wait and any(map(self._is_new, self.last)):
            # On a busy table there is always one: only who is still there a little later is in the way.
            self._asking.sleep(self._policy.lock_timeout)
            in_the_way = self._look(table, mode)
        entry.lock_waits += bool(in_the_way)
        if in_the_way and not may_wait:
            raise MustRetry
        with self._told(table, mode) if in_the_way else nullcontext():
            self._wait_for(table, mode, entry, in_the_way, begun, deadline)
        self._activity.stop_waiting()

    def _wait_for(
        self, table: str, mode: LockMode, entry: Entry, in_the_way: "list[Blocker]", begun: float, deadline: float
    ) -> None:
        while in_the_way:
            self._activity.wait(_waiting_line(time.monotonic() - begun, mode, table, in_the_way))
            if time.monotonic() > deadline:
                raise self.blocked(table, mode, entry)
            self._asking.sleep(_POLL)
            in_the_way = self._look(table, mode)

    @contextmanager
    def _told(self, table: str, mode: LockMode) -> Iterator[None]:
        """Others can see for what we wait. An error that ends the session ends that too."""
        from alembic_online.postgres.blockers import UnqueuedWait  # noqa: PLC0415  as in `_look`

        told = self._asking.ask(lambda connection: UnqueuedWait.begin(connection, table, mode, self._own_pid))
        blocked = None
        try:
            yield
        except TableBlocked as error:
            blocked = error
        if told:
            self._asking.ask(told.end)
        if blocked:
            raise blocked

    def blocked(self, table: str, mode: LockMode, entry: Entry) -> TableBlocked:
        """The error for a table that was not free within the budget."""
        done = "what comes before it is done" if entry.is_half_done else f"nothing of {entry.revision} was changed"
        return TableBlocked(
            f"Could not lock {table} ({mode}) within {self._policy.total_lock_timeout:g} s; {done}.",
            f"{_blockers_table_text(self.last)}\n"
            "End who is in the way (python -m alembic_online blockers), then run the same command again.",
        )

    def _look(self, table: str, mode: LockMode) -> "list[Blocker]":
        from alembic_online.postgres.blockers import holders_of  # noqa: PLC0415  many migrations only make what is new

        shown = self._policy.show_literals
        self.last = self._asking.ask(
            lambda connection: holders_of(connection, table, mode, not_pids=[self._own_pid], show_literals=shown)
        )
        for blocker in self.last:
            self._first_seen.setdefault(str(blocker.transaction), time.monotonic())
        return [blocker for blocker in self.last if self._stays(blocker)]

    def _stays(self, blocker: "Blocker") -> bool:
        """A plain autovacuum gives way to the staged lock, and a young transaction to a short wait."""
        # What a role without pg_read_all_stats sees of an autovacuum is that nobody has sent it.
        hidden = blocker.transaction_age is None
        if blocker.kind == "autovacuum" or (blocker.kind == "background process" and hidden):
            return False
        return self._age(blocker) >= self._policy.lock_timeout

    def _age(self, blocker: "Blocker") -> float:
        """Of its transaction, in seconds; where it is not visible, since it was first seen."""
        if blocker.transaction_age is not None:
            return blocker.transaction_age
        return time.monotonic() - self._first_seen[str(blocker.transaction)]

    def _is_new(self, blocker: "Blocker") -> bool:
        return blocker.transaction_age is None and not self._stays(blocker) and blocker.kind != "background process"


def stage(connection: Connection, table: str) -> None:
    """Take SHARE UPDATE EXCLUSIVE first: no client notices, an autovacuum gives way, other schema changes wait.

    On its partitions and children too, which most statements lock along with it.
    """
    run_as_written(connection, f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")


def _waiting_line(*arguments: Any) -> str:
    from alembic_online.runtime.blocker_report import waiting_line  # noqa: PLC0415  rich: 0.1 s that only those who wait should pay

    return waiting_line(*arguments)


def _blockers_table_text(blockers: "list[Blocker]") -> str:
    from alembic_online.runtime.blocker_report import blockers_table_text  # noqa: PLC0415  as above

    return blockers_table_text(blockers)
