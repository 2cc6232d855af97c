"""What each statement of a revision did: the locks it took, the tables it rewrote, scanned and emptied.

Read from PostgreSQL after the statement, in its transaction: `pg_locks`, the file nodes of `pg_class` (a table that was
rewritten has another), and the number of sequential scans. A statement that cannot be in a transaction (CONCURRENTLY)
has released its locks by then: for it they are read from its text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from src.postgres.lock_modes import LockMode, is_patient, strong_locks
from src.postgres.url import DatabaseURL
from src.safety.data_loss import dropped
from src.safety.online.database import TableFacts
from src.safety.policy import Policy

_TABLES = text(
    """
    SELECT c.oid::regclass::text, c.relfilenode::bigint, pg_stat_get_xact_numscans(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    """
)
_TRANSACTION = text("SELECT virtualtransaction FROM pg_locks WHERE pid = pg_backend_pid()")
_LOCKS = text(
    """
    SELECT c.oid::regclass::text, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND c.relkind IN ('r', 'p', 'm')
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    """
)


@dataclass(frozen=True)
class Traced:
    """One statement and what it did. Tables are as SQL writes them."""

    revision: str
    sql: str
    transaction: int
    """The number of the transaction, counted from 1; statements of one number are committed together."""
    locks: Mapping[str, LockMode]
    """The strongest lock on each table that was there before, taken by it or held while it works."""
    rewrites: tuple[str, ...]
    scans: tuple[str, ...]
    destroys: tuple[str, ...]
    """Tables and columns that go with what they hold."""
    patient: bool
    """It blocks nobody and may take long."""


@dataclass
class Trace:
    """A rehearsal that writes down what it sees. `live` are the tables of the live database, by name."""

    target: DatabaseURL
    policy: Policy
    live: Mapping[str, TableFacts]
    statements: list[Traced] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._transaction, self._number = "", 0
        self._running: tuple[str, str, bool] | None = None
        self._tables: dict[str, tuple[int, int]] = {}
        self._locks: dict[str, LockMode] = {}

    def facts(self, there: TableFacts) -> TableFacts:
        """See `Rehearsal`."""
        return self.live.get(there.name, there)

    def before(self, connection: Connection, revision: str, statement: str, *, outside: bool) -> None:
        """See `Rehearsal`."""
        self._running = revision, statement, outside
        if outside:
            self._number += 1
            self._transaction = ""
            return
        transaction = str(connection.scalar(_TRANSACTION))
        if transaction != self._transaction:
            self._transaction, self._number = transaction, self._number + 1
        self._tables, self._locks = _tables(connection), _locks(connection)

    def after(self, connection: Connection) -> None:
        """See `Rehearsal`."""
        if self._running is None:
            return
        revision, statement, outside = self._running
        self._running = None
        rewrites, scans = ((), ()) if outside else self._work(connection)
        named = {lock.name: lock.mode for lock in strong_locks(statement)}
        locks = named if outside else self._held(connection, {*named, *rewrites, *scans})
        lost = tuple(f"{table}.{column}" if column else table for table, column in dropped(statement))
        self.statements.append(
            Traced(revision, statement, self._number, locks, rewrites, scans, lost, is_patient(statement))
        )

    def _held(self, connection: Connection, touched: set[str]) -> dict[str, LockMode]:
        """Of the tables that were there before: new locks, and those held since earlier on what the statement touches.

        A table that is gone was locked as strongly as can be.
        """
        gone = dict.fromkeys(self._tables.keys() - _tables(connection).keys(), LockMode.ACCESS_EXCLUSIVE)
        return {
            table: mode
            for table, mode in sorted({**gone, **_locks(connection)}.items())
            if table in self._tables
            and mode >= LockMode.SHARE_UPDATE_EXCLUSIVE
            and (table in touched or mode > self._locks.get(table, 0))
        }

    def _work(self, connection: Connection) -> tuple[tuple[str, ...], tuple[str, ...]]:
        rewrites, scans = [], []
        for table, (node, count) in sorted(_tables(connection).items()):
            was = self._tables.get(table)
            if was is not None and node != was[0]:
                rewrites.append(table)
            elif was is not None and count > was[1]:
                scans.append(table)
        return tuple(rewrites), tuple(scans)


def _tables(connection: Connection) -> dict[str, tuple[int, int]]:
    return {str(name): (int(node), int(scans)) for name, node, scans in connection.execute(_TABLES)}


def _locks(connection: Connection) -> dict[str, LockMode]:
    found: dict[str, LockMode] = {}
    for table, mode in connection.execute(_LOCKS):
        found[str(table)] = max(found.get(str(table), LockMode.ACCESS_SHARE), LockMode.parse(str(mode)))
    return found
