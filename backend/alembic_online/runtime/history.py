"""What was done to this database: a row for each upgrade and downgrade of a revision, beside Alembic's own table.

It is written before the revision begins, on a connection of its own, so that others see it; it is completed inside the
revision's own transaction, so that "done" is as true as the stamp. A row that still says "running" while nobody holds
the migrator's lock was interrupted.
"""

import hashlib
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Executable,
    Identity,
    Integer,
    MetaData,
    Row,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable

from alembic_online.postgres.sqlstate import LOCK_NOT_AVAILABLE, sqlstate
from alembic_online.runtime.bookkeeping import VERSION_TABLE, Moment, stands, warn_of_subscribers
from alembic_online.runtime.control_connection import Answer, Asking, Question

log = logging.getLogger("alembic.runtime.migration")

TABLE = "alembic_history"
BACKFILL_TABLE = "alembic_backfill"
PHASE_TABLE = "alembic_phase"
KEPT_TABLE = "alembic_kept"
OWN_TABLES = (TABLE, BACKFILL_TABLE, PHASE_TABLE, KEPT_TABLE)
"""Those that plain Alembic does not have."""
BOOKKEEPING = (VERSION_TABLE, *OWN_TABLES)
"""Tables of the migrations themselves: no model has them, and no comparison of schemas looks at them."""
# Of what nobody has analysed the catalogue knows no size.
_LARGE = text(
    """
    SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND c.relname NOT LIKE 'alembic\\_%'
        AND CASE WHEN c.reltuples < 0 THEN pg_relation_size(c.oid) ELSE c.relpages * 8192::bigint END >= :least)
    """
)

_FINGERPRINTED = text(
    """
    SELECT EXISTS (SELECT FROM pg_attribute
                   WHERE attrelid = CAST(CAST(:history AS text) AS regclass) AND attname = 'fingerprint')
    """
)
# A subscriber that has no such column would stop.
_MAY_ADD = text(
    """
    SELECT pg_has_role(c.relowner, 'USAGE') AND NOT EXISTS (SELECT FROM pg_publication_tables p
            WHERE p.schemaname = c.relnamespace::regnamespace::text AND p.tablename = c.relname)
    FROM pg_class c WHERE c.oid = CAST(CAST(:history AS text) AS regclass)
    """
)
_KEEP = """
    UPDATE {history} SET fingerprint = CAST(:kept AS jsonb)
    WHERE id = (SELECT max(id) FROM {history} WHERE outcome = 'done')
"""


@cache
def history_table(schema: str) -> Table:
    """The table in this schema, which is that of Alembic's own (see `alembic_online.runtime.bookkeeping`)."""
    return Table(
        TABLE,
        MetaData(schema=schema),
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("revision", Text, nullable=False),
        Column("direction", Text, nullable=False),
        Column("outcome", Text, nullable=False, server_default="running"),
        Column("started", Moment(), nullable=False, server_default=func.clock_timestamp()),
        Column("finished", Moment()),
        Column("lock_waits", Integer, nullable=False, server_default="0"),
        Column("retries", Integer, nullable=False, server_default="0"),
        Column("role", Text, nullable=False, server_default=func.current_user()),
        Column("host", Text, nullable=False),
        Column("application_version", Text, nullable=False),
        Column("checksum", Text, nullable=False),
        Column("step", Text),
        Column("journal", JSONB, nullable=False, server_default="[]"),
        Column("unfinished_before", JSONB, nullable=False, server_default="[]"),
    )


def _with_fingerprint(table: Table) -> Table:
    """As it is made. What an older release has made lacks the last column, so nobody selects it by name."""
    made = table.to_metadata(MetaData())
    made.append_column(Column("fingerprint", JSONB))
    return made


def history_name(schema: str) -> str:
    """The name of the table in SQL."""
    return str(postgresql.dialect().identifier_preparer.format_table(history_table(schema)))  # type: ignore[no-untyped-call]


async def find_history(connection: AsyncConnection) -> Table | None:
    """The table of the database at hand, beside its version table; None if there is none yet."""
    schema, exists = await stands(connection, TABLE)
    return history_table(schema) if exists else None


def checksum(path: Path) -> str:
    """Of a revision file, the same with either kind of line end."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


@dataclass
class Entry:
    """The row of the revision that is being run."""

    id: int
    revision: str
    direction: str
    journal: list[str] = field(default_factory=list)
    """The statements that are committed although the revision is not stamped, of this try or an earlier one."""
    unfinished_before: list[str] = field(default_factory=list)
    """INVALID indexes and NOT VALID constraints that were there before the revision first began."""
    interrupted_at: str | None = None
    """The step at which an earlier try was interrupted, if there was one."""
    edited: bool = False
    """Whether the file is another since then."""
    lock_waits: int = 0
    retries: int = 0
    committed: int | None = None
    """How much of the journal is committed, while more of it is written ahead."""

    @property
    def is_half_done(self) -> bool:
        """Whether something of it is committed."""
        return bool(self.journal[: self.committed])

    @property
    def has_begun(self) -> bool:
        """Whether it is tried again, or goes on: the first try is whole, and what fails has changed nothing."""
        return bool(self.retries or self.journal)


class History:
    """The table, written on the `asking` connection but for what belongs to the revision's own transaction."""

    def __init__(self, asking: Asking, schema: str) -> None:
        self._asking = asking
        self.table = history_table(schema)
        self.name = history_name(schema)
        self._resumable: dict[str, Row[Any]] = {}
        self._keeps_fingerprints = False
        # Built once: a long chain of small revisions would notice.
        self._begin = insert(self.table).returning(self.table.c.id)
        # The transaction began with the revision.
        times = {"started": func.now(), "finished": func.clock_timestamp()}
        self._whole = insert(self.table).values(outcome="done", **times)
        self._recording: tuple[Sequence[ColumnElement[Any]], Executable] | None = None
        """What was asked last when a row was written, and the statement for it."""
        this = update(self.table).where(self.table.c.id == bindparam("number"))
        counts: dict[str, Any] = {"lock_waits": bindparam("waits"), "retries": bindparam("tries")}
        self._step = this.values(step=bindparam("now"))
        self._journal = this.values(journal=bindparam("lines"))
        self._failed = this.values(outcome=bindparam("how"), finished=func.clock_timestamp(), **counts)
        self._done = this.values(outcome="done", finished=func.clock_timestamp(), journal=[], step=None, **counts)

    def prepare(self, *, exists: bool, stamping: bool = False) -> None:
        """Begin to make the table unless it exists, and to read it; call what still runs interrupted, and say so.

        A stamp ends what is half done: somebody says what the database is. Needs the migrator's lock. `settle` waits
        for it.
        """
        self._asking.send(partial(self._prepare, exists=exists, stamping=stamping))

    async def _prepare(self, connection: AsyncConnection, *, exists: bool, stamping: bool) -> None:
        if not exists:
            await warn_of_subscribers(connection, TABLE, self.table.schema or "public")
            await connection.execute(CreateTable(_with_fingerprint(self.table), if_not_exists=True))
        self._keeps_fingerprints = not exists or await self._add_fingerprint(connection)
        columns = self.table.c
        last = select(func.max(columns.id)).group_by(columns.revision)
        open_ends = select(self.table).where(columns.id.in_(last), columns.outcome != "done")
        rows = (await connection.execute(open_ends)).all()
        self._resumable = {row.revision: row for row in rows if row.journal}
        interrupted = [row for row in rows if row.outcome == "running"]
        for row in interrupted:
            log.warning(
                "The %s of %s that began at %s on %s was interrupted%s; this run goes on from there.",
                *(row.direction, row.revision, f"{row.started:%Y-%m-%d %H:%M:%S}", row.host),
                f" at step {row.step}" if row.step else "",
            )
        if interrupted:
            running = update(self.table).where(columns.outcome == "running")
            await connection.execute(running.values(outcome="interrupted"))
        if stamping and self._resumable:
            await connection.execute(update(self.table).where(columns.outcome != "done").values(journal=[], step=None))
            self._resumable = {}

    async def _add_fingerprint(self, connection: AsyncConnection) -> bool:
        """Whether the table has its last column, which that of an older release is given here."""
        named = {"history": self.name}
        if await connection.scalar(_FINGERPRINTED, named):
            return True
        if not await connection.scalar(_MAY_ADD, named):
            return False
        try:
            await connection.execute(text(f"ALTER TABLE {self.name} ADD COLUMN IF NOT EXISTS fingerprint jsonb"))
        except DBAPIError as error:
            if sqlstate(error) != LOCK_NOT_AVAILABLE:
                raise
            log.info("Somebody reads %s: its new column is added by another run.", self.name)
            return False
        return True

    def start(self, revision: str, direction: str, path: Path, version: str, unfinished: Sequence[str]) -> Entry:
        """Begin a row, and carry over what an earlier try of the same left committed."""
        last = self._resumable.get(revision)
        resumed = last if last and last.direction == direction else None
        before = resumed.unfinished_before if resumed else list(unfinished)
        journal = list(resumed.journal) if resumed else []
        row = _row(revision, direction, path, version, journal, before)
        number = self._asking.execute(self._begin, row).scalar_one()
        edited = resumed is not None and resumed.checksum != row["checksum"]
        step = resumed.step if resumed else None
        return Entry(number, revision, direction, journal, before, step, edited)

    def is_resumable(self, revision: str) -> bool:
        """Whether an earlier try has left something of it committed."""
        return revision in self._resumable

    def record(
        self, connection: Connection, entry: Entry, path: Path, version: str, asking: Sequence[ColumnElement[Any]]
    ) -> Row[Any]:
        """A whole row at once, on the revision's own `connection`, in the transaction that stamps; answer `asking`."""
        row = _row(entry.revision, entry.direction, path, version, [], entry.unfinished_before)
        if self._recording is None or self._recording[0] is not asking:
            self._recording = asking, self._whole.returning(*asking)
        return connection.execute(self._recording[1], row).one()

    def note_stamp(self, revisions: Sequence[str], version: str, reason: str) -> None:
        """A row for a stamp, which no revision's run has; `reason` is why it is true, where nobody has compared."""
        row = {
            "revision": ", ".join(revisions) or "base",
            "direction": "stamp",
            "outcome": "done",
            "finished": func.clock_timestamp(),
            "host": socket.gethostname(),
            "application_version": version,
            "checksum": "",
            "step": reason or None,
        }
        self._asking.execute(insert(self.table).values(row))

    def note_forced(self, revision: str, version: str, reason: str) -> None:
        """A row for a contract that goes on although an older release is connected. No run goes on from it."""
        row = {
            "revision": f"{revision} (forced)",
            "direction": "force",
            "outcome": "forced",
            "finished": func.clock_timestamp(),
            "host": socket.gethostname(),
            "application_version": version,
            "checksum": "",
            "step": reason,
        }
        self._asking.execute(insert(self.table).values(row))

    def keep_fingerprint(self, kept: str) -> None:
        """Of the database as the last step that is done has left it."""
        if self._keeps_fingerprints:
            self._asking.execute(text(_KEEP.format(history=self.name)), {"kept": kept})

    def note_step(self, entry: Entry, step: str) -> None:
        """Say which statement is about to run; on disk once `settle` returns."""

        async def note(connection: AsyncConnection) -> None:
            await connection.execute(self._step, {"number": entry.id, "now": step})

        self._asking.send(note)

    def settle(self) -> None:
        """Wait until everything that was said is on disk."""
        self._asking.settle()

    def fail(self, entry: Entry, outcome: str) -> None:
        """`failed` or `stopped`: the transaction was rolled back, what the journal says stays."""

        async def end(connection: AsyncConnection) -> None:
            # A stop in the middle of one of our own statements has cost the connection: SQLAlchemy opens another then.
            await connection.rollback()
            await connection.execute(self._failed, {**_counts(entry), "how": outcome})
            await connection.commit()

        if outcome == "stopped":
            self._asking.break_off()
        self._asking.ask(end)

    def finish(self, connection: Connection, entry: Entry, asking: Sequence[ColumnElement[Any]]) -> Row[Any]:
        """Complete the row on the revision's own `connection`, in the transaction that stamps it; answer `asking`."""
        self._asking.settle()
        return connection.execute(self._done.returning(*asking), _counts(entry)).one()

    def write_journal_now(self, entry: Entry) -> None:
        """Keep it at once: all that it says is committed already."""
        self._asking.execute(self._journal, {"number": entry.id, "lines": entry.journal})

    def read_journal(self, entry: Entry) -> None:
        """What is committed of it."""
        kept = self._asking.execute(select(self.table.c.journal).where(self.table.c.id == entry.id))
        entry.journal[:] = kept.scalar_one()

    def sleep(self, seconds: float) -> None:
        """Wait, while others go on."""
        self._asking.sleep(seconds)

    def ask(self, question: Question[Answer]) -> Answer:
        """Ask on the connection that is not the revision's."""
        return self._asking.ask(question)

    def has_table_of(self, size: float) -> bool:
        """Whether a table of the database is as large as that, in bytes, or nobody knows."""
        try:
            return bool(self._asking.execute(_LARGE, {"least": int(max(size, 1))}).scalar())
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            return True  # somebody holds it

    def half_undone(self, heads: Sequence[str]) -> dict[str, list[str]]:
        """The journals of downgrades that stopped in their middle, of these revisions."""
        rows = (self._resumable[head] for head in heads if head in self._resumable)
        return {row.revision: list(row.journal) for row in rows if row.direction == "downgrade"}

    def write_journal(self, connection: Connection, entry: Entry, lines: Sequence[str]) -> None:
        """Keep what is committed together with this write, on the revision's own `connection`."""
        connection.execute(self._journal, {"number": entry.id, "lines": list(lines)})


def _row(
    revision: str, direction: str, path: Path, version: str, journal: list[str], before: list[str]
) -> dict[str, Any]:
    return {
        "revision": revision,
        "direction": direction,
        "host": socket.gethostname(),
        "application_version": version,
        "checksum": checksum(path),
        "journal": journal,
        "unfinished_before": before,
    }


def _counts(entry: Entry) -> dict[str, Any]:
    return {"number": entry.id, "waits": entry.lock_waits, "tries": entry.retries}
