"""What happens before each statement of a revision, wherever it comes from (op.*, op.execute, a session).

1. A statement that an earlier, interrupted try has committed is passed over (`journal`).
2. What a downgrade is about to destroy is counted (`data_loss`).
3. A patient statement gets patient limits, and what an interrupted try left of its index is dropped.
4. In a transaction, the way to each table it locks is waited for, then the staged lock is taken (`free_way`), then the
   short limits are set (`lock_timeout`).
5. Outside of a transaction, a statement that could be inside one is put into one, together with its journal.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, text

from src.postgres.literals import shorten
from src.postgres.lock_modes import LockMode, is_patient, needs_autocommit
from src.postgres.lock_modes.reader import statements
from src.safety.activity import Activity
from src.safety.data_loss import Loss, losses
from src.safety.free_way import FreeWay, stage
from src.safety.history import Entry, History
from src.safety.journal import Journal
from src.safety.lock_timeout import TimeLimits
from src.safety.policy import Policy

_QUERIES = ("SELECT", "WITH", "SHOW", "VALUES", "TABLE")
_NOTHING = "DO $$ BEGIN END $$"  # runs instead of a statement that is done already, and has no rows either
_INVALID_INDEX = text(
    "SELECT i.indexrelid::regclass::text FROM pg_index i WHERE i.indexrelid = to_regclass(:name) AND NOT i.indisvalid"
)
_VALID_INDEX = text("SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(:name) AND indisvalid)")


class StatementGuard:
    """Stands before the statements of one connection, one revision after the other."""

    def __init__(self, policy: Policy, history: History, way: FreeWay, activity: Activity) -> None:
        self._policy, self._history, self._way, self._activity = policy, history, way, activity
        self._limits = TimeLimits(policy)
        self._held: dict[str, LockMode] = {}
        self.entry: Entry | None = None
        """The revision whose statements are guarded."""
        self._journal: Journal | None = None
        self._deadline = 0.0
        self._own = False
        self.autocommit = False
        """Whether the revision is outside of any transaction at the moment."""
        self._nobody_reads = False
        self.lost: list[Loss] = []
        self.last_lock: tuple[str, LockMode] | None = None

    def attach(self, connection: Connection) -> None:
        """Be asked before each statement of `connection`."""
        event.listen(connection, "before_cursor_execute", self._before, retval=True)

    @contextmanager
    def revision(self, entry: Entry, deadline: float) -> Iterator[Journal]:
        """Guard the statements of this revision until the end of the block."""
        self.entry, self._journal, self._deadline = entry, Journal(entry), deadline
        try:
            yield self._journal
        finally:
            self.entry = self._journal = None

    def new_transaction(self) -> None:
        """Locks and limits of the last one are gone."""
        self._held.clear()
        self._limits.forget()

    def start_again(self) -> None:
        """The transaction was rolled back and the revision begins anew."""
        assert self._journal is not None
        self._journal.start_again()
        self.lost.clear()
        self.new_transaction()

    def before_commit(self, connection: Connection) -> None:
        """A transaction in the middle of a revision is about to be committed: its journal goes with it."""
        if self._journal is not None and self.entry is not None:
            self._journal.commit()
            with self._ours():
                self._history.write_journal(connection, self.entry)

    @contextmanager
    def command(self) -> Iterator[None]:
        """What runs in the block comes from an operation: a SELECT too is there for its effect, nobody reads it."""
        self._nobody_reads = True
        try:
            yield
        finally:
            self._nobody_reads = False

    @contextmanager
    def _ours(self) -> Iterator[None]:
        self._own = True
        try:
            yield
        finally:
            self._own = False

    def _before(
        self, connection: Connection, _cursor: Any, statement: str, parameters: Any, context: Any, _many: bool
    ) -> tuple[str, Any]:
        if self._own or self.entry is None or self._journal is None:
            return statement, parameters
        words = statement.split(None, 2)
        if not words or (not self._nobody_reads and words[0].upper() in _QUERIES):
            return statement, parameters
        if words[0].upper() == "SET" and "timeout" in statement:
            self._limits.of_the_revision = True
        with self._ours():
            return self._guard(connection, self.entry, self._journal, statement, parameters)

    def _guard(
        self, connection: Connection, entry: Entry, journal: Journal, statement: str, parameters: Any
    ) -> tuple[str, Any]:
        key = journal.key(statement, parameters)
        if journal.is_done(key):
            return _NOTHING, _empty(parameters)
        self._activity.begin_step(shorten(statement, 100))
        self._history.note_step(entry, f"{self._activity.number}: {self._activity.step}")
        if entry.direction == "downgrade" and not self.autocommit:
            self.lost += losses(connection, statement)
        if not self.autocommit:
            self._in_transaction(connection, entry, statement)
            journal.add(key)
            return statement, parameters
        if not is_patient(statement) and not needs_autocommit(statement):
            return self._in_a_transaction_of_its_own(connection, journal, key, statement, parameters)
        self._limits.patient(connection)
        if self._is_built(connection, entry, key, statement):
            return _NOTHING, _empty(parameters)
        return statement, parameters

    def _in_transaction(self, connection: Connection, entry: Entry, statement: str) -> None:
        targets = self._way.targets(statement).items()
        wanted = [(table, mode) for table, mode in targets if self._held.get(table, LockMode.ACCESS_SHARE) < mode]
        for table, mode in wanted:
            self.last_lock = (table, mode)
            self._way.wait(table, mode, entry, deadline=self._deadline, may_wait=not self._held)
        for table, mode in sorted(wanted):
            self._limits.calm(connection, holds_strong=bool(self._held))
            stage(connection, table)
            self._held[table] = mode
        if wanted:
            self._limits.strong(connection)
        else:
            self._limits.calm(connection, holds_strong=bool(self._held))

    def _in_a_transaction_of_its_own(
        self, connection: Connection, journal: Journal, key: str, statement: str, parameters: Any
    ) -> tuple[str, Any]:
        """Run it here, between BEGIN and COMMIT, so that it and its line in the journal are one."""
        assert self.entry is not None
        connection.exec_driver_sql("BEGIN")
        try:
            self.new_transaction()
            self._in_transaction(connection, self.entry, statement)
            connection.exec_driver_sql(statement, parameters or None)
            journal.add(key)
            journal.commit()
            self._history.write_journal(connection, self.entry)
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            if not connection.invalidated:
                connection.exec_driver_sql("ROLLBACK")
            raise
        finally:
            self.new_transaction()
        return _NOTHING, _empty(parameters)

    def _is_built(self, connection: Connection, entry: Entry, key: str, statement: str) -> bool:
        """Drop what an interrupted CREATE INDEX CONCURRENTLY left; say whether it was complete before it was noted."""
        began = f"began {key}"
        name = _concurrent_index(statement)
        if name is None:
            return False
        if invalid := connection.scalar(_INVALID_INDEX, {"name": name}):
            connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY {invalid}")
        elif began in entry.journal and connection.scalar(_VALID_INDEX, {"name": name}):
            return True
        if began not in entry.journal:
            entry.journal.append(began)
            self._history.write_journal(connection, entry)
        return False


def _empty(parameters: Any) -> Any:
    return type(parameters)() if parameters else parameters


def _concurrent_index(statement: str) -> str | None:
    """The name of the index that CREATE INDEX CONCURRENTLY makes, if that is what it is."""
    for reader in statements(statement):
        if reader.accept_any("CREATE INDEX", "CREATE UNIQUE INDEX") and reader.accept("CONCURRENTLY"):
            reader.accept("IF NOT EXISTS")
            return reader.name() or None
    return None
