"""A session or a prepared transaction that is in somebody's way, and the queue behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from alembic_online.postgres.locks import LockMode

Kind = Literal[
    "client",
    "another migration",
    "autovacuum",
    "anti-wraparound autovacuum",  # the only kind of autovacuum that does not give way to a waiting lock
    "background process",
    "prepared transaction",
]
MIGRATION = "alembic"  # the application_name of migrations


@dataclass(frozen=True, slots=True)
class Blocker:
    """Ages are in seconds. What the asking role may not see is None, and `not_visible` says what grant it lacks."""

    pid: int | None
    """None for a prepared transaction, which no process carries."""
    kind: Kind
    role: str | None
    application: str | None
    client: str | None
    """The address; None also for a Unix socket."""
    state: str | None
    wait_event: str | None
    """Type and event, as in "Lock: relation"; None while it works."""
    transaction_age: float | None
    state_age: float | None
    query: str | None
    """The current or the last one, shortened, its literals hidden unless asked for; a prepared transaction's name."""
    not_visible: str | None
    lock_type: str
    """`pg_locks.locktype`: relation, tuple, transactionid (a row's), virtualxid (a snapshot's), advisory, ..."""
    relation: str | None
    """As regclass prints it; None for a lock that is on none."""
    mode: LockMode
    held: bool
    """Whether it has `mode` on `relation`; if not, it waits for it, ahead of others."""
    waiting: bool
    """Whether it waits for a lock itself, here or elsewhere."""
    transaction: str | None = None
    """`pg_locks.virtualtransaction`: another one means that it has ended the transaction; every role may see it."""
    wanted: LockMode | None = None
    """The mode that others want there."""


@dataclass(frozen=True, slots=True)
class Queue:
    """One who is in the way, and the queues of those who wait for it: a tree, whose root waits for nobody."""

    head: Blocker
    behind: tuple["Queue", ...] = ()

    def __iter__(self) -> Iterator[Blocker]:
        """Everybody in the queue, its head first."""
        yield self.head
        for queue in self.behind:
            yield from queue
