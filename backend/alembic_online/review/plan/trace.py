"""What each statement of a revision did: the locks it took, the tables it rewrote, scanned and emptied.

Read from PostgreSQL after the statement, in its transaction: `pg_locks`, the file nodes of `pg_class` (a table that was
rewritten has another), and the number of sequential scans. A statement that cannot be in a transaction (CONCURRENTLY)
has released its locks by then: for it they are read from its text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sqlalchemy import Connection, text

from alembic_online.policy import Policy
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.locks import LockMode, is_patient, strong_locks
from alembic_online.runner.dropped_data import gone
from alembic_online.runtime.rehearsal import NextStatement
from alembic_online.runtime.table_facts import TableFacts

_TABLES = text(
    """
    SELECT c.oid::regclass::text, c.oid::bigint, c.relfilenode::bigint, pg_stat_get_xact_numscans(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    """
)
_TABLE_KINDS = ("table", "materialized view", "table of index")
_TABLE_OF = text(
    """
    SELECT coalesce((SELECT indrelid FROM pg_index WHERE indexrelid = to_regclass(:name)), to_regclass(:name))
           ::regclass::text
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
    origins: Mapping[str, str | None] = field(default_factory=dict)
    """The name that each of these tables had when the plan began; None if the plan made it: then no client knows it."""
    fills: str = ""
    """The table whose rows are changed in batches: a backfill, for which `sql` are words."""
    line: int = 0
    """Of the revision file, where somebody looked for it."""


@dataclass
class Trace:
    """A rehearsal that writes down what it sees. `live` are the tables of the live database, by name."""

    target: DatabaseURL
    policy: Policy
    live: Mapping[str, TableFacts]
    statements: list[Traced] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._transaction, self._number = "", 0
        self._running: NextStatement | None = None
        self._tables: dict[str, _Table] = {}
        self._named: dict[str, LockMode] = {}
        self._lost: list[str] = []
        self._locks: dict[str, LockMode] = {}
        self._begun_with: dict[int, str] | None = None
        self._backfill = ("", "")

    def begin(self) -> None:
        """What comes now is the plan; what was before only led up to it."""
        self.statements.clear()
        self._transaction, self._number, self._begun_with = "", 0, None
        self._running = None  # one that failed

    def name(self, revision: str) -> None:
        """The statements that are nobody's yet are this one's."""
        self.statements = [replace(each, revision=each.revision or revision) for each in self.statements]

    def facts(self, there: TableFacts) -> TableFacts:
        """See `Rehearsal`."""
        return self.live.get(self._origin(there.name) or "", there)

    def fills(self, words: str, table: str) -> None:
        """See `Rehearsal`."""
        self._backfill = words, table

    def before(self, connection: Connection, coming: NextStatement) -> None:
        """See `Rehearsal`."""
        self._running = coming
        self._tables, self._named = _tables(connection), _named(connection, coming.sql)
        self._lost = list(_lost(connection, coming.sql))
        if self._begun_with is None:
            self._begun_with = {table.oid: name for name, table in self._tables.items()}
        if coming.outside:
            self._number += 1
            self._transaction = ""
            return
        transaction = str(connection.scalar(_TRANSACTION))
        if transaction != self._transaction:
            self._transaction, self._number = transaction, self._number + 1
        self._locks = _locks(connection)

    def after(self, connection: Connection) -> None:
        """See `Rehearsal`."""
        if self._running is None:
            return
        revision, statement, outside, _ = self._running
        self._running = None
        now = _tables(connection)
        self._take_places(now)
        words, filled = self._backfill
        if words:
            self._backfill = ("", "")
            table = str(connection.scalar(_TABLE_OF, {"name": filled}))
            origins = {table: self._origin(table)}
            self.statements.append(Traced(revision, words, self._number, {}, (), (), (), True, origins, table))
            return
        rewrites, scans = ((), ()) if outside else self._work(now)
        locks = self._named if outside else self._held(connection, now, {*self._named, *rewrites, *scans})
        tables = {*locks, *rewrites, *scans, *(table for what in self._lost for table in (what, _table_of(what)))}
        origins = {name: self._origin(name) for name in sorted(tables & self._tables.keys())}
        lost, patient = tuple(self._lost), is_patient(statement)
        self.statements.append(
            Traced(revision, statement, self._number, locks, rewrites, scans, lost, patient, origins)
        )
        self._tables = now

    def _take_places(self, now: Mapping[str, "_Table"]) -> None:
        """A table that got the name of another in one statement stands in its place: no client has missed it."""
        assert self._begun_with is not None, "set before the first statement"
        for name, table in now.items():
            old = self._tables.get(name, table).oid
            if old != table.oid and old in self._begun_with:
                self._begun_with[table.oid] = self._begun_with[old]

    def _origin(self, name: str) -> str | None:
        if self._begun_with is None or name not in self._tables:
            return name
        return self._begun_with.get(self._tables[name].oid)

    def _held(self, connection: Connection, now: Mapping[str, "_Table"], touched: set[str]) -> dict[str, LockMode]:
        """Of the tables that were there before: new locks, and those held since earlier on what the statement touches.

        A table that is gone was locked as strongly as can be.
        """
        gone = dict.fromkeys(self._tables.keys() - now.keys(), LockMode.ACCESS_EXCLUSIVE)
        return {
            table: mode
            for table, mode in sorted({**gone, **_locks(connection)}.items())
            if table in self._tables
            and mode >= LockMode.SHARE_UPDATE_EXCLUSIVE
            and (table in touched or mode > self._locks.get(table, 0))
        }

    def _work(self, now: Mapping[str, "_Table"]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """By what a table is, and not by its name, which another one that was there may have taken."""
        rewrites, scans = [], []
        before = {table.oid: table for table in self._tables.values()}
        for name, table in sorted(now.items()):
            was = before.get(table.oid) or self._tables.get(name)
            if was is not None and table.node != was.node:
                rewrites.append(name)
            elif was is not None and table.scans > was.scans:
                scans.append(name)
        return tuple(rewrites), tuple(scans)


class _Table(NamedTuple):
    oid: int
    node: int
    scans: int


def _tables(connection: Connection) -> dict[str, _Table]:
    return {str(name): _Table(*numbers) for name, *numbers in connection.execute(_TABLES)}


def _named(connection: Connection, statement: str) -> dict[str, LockMode]:
    """The strongest lock on each table that is there, from the text alone; an index stands for its table."""
    found: dict[str, LockMode] = {}
    for lock in strong_locks(statement):
        if lock.mode >= LockMode.SHARE_UPDATE_EXCLUSIVE and lock.kind in _TABLE_KINDS:
            name = connection.scalar(_TABLE_OF, {"name": lock.name})
            if name is not None:
                found[str(name)] = max(found.get(str(name), lock.mode), lock.mode)
    return found


def _lost(connection: Connection, statement: str) -> Iterator[str]:
    """What goes with it, by the names that the catalogue gives."""
    yield from (str(each) for each in gone(connection, statement) if not each.is_sequence)


def _table_of(what: str) -> str:
    """Of a column that is lost."""
    return what.rpartition(".")[0]


def _locks(connection: Connection) -> dict[str, LockMode]:
    found: dict[str, LockMode] = {}
    for table, mode in connection.execute(_LOCKS):
        found[str(table)] = max(found.get(str(table), LockMode.ACCESS_SHARE), LockMode.parse(str(mode)))
    return found
