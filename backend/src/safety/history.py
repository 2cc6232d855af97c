"""What was done to this database: a row for each upgrade and downgrade of a revision, beside Alembic's own table.

It is written before the revision begins, on a connection of its own, so that others see it; it is completed inside the
revision's own transaction, so that "done" is as true as the stamp. A row that still says "running" while nobody holds
the migrator's lock was interrupted.
"""

import hashlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Column,
    Connection,
    Identity,
    Integer,
    MetaData,
    Row,
    Table,
    Text,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable

TABLE = "alembic_history"
BACKFILL_TABLE = "alembic_backfill"
BOOKKEEPING = ("alembic_version", TABLE, BACKFILL_TABLE)
"""Tables of the migrations themselves: no model has them, and no comparison of schemas looks at them."""
_TIME = TIMESTAMP(timezone=True)


def history_table(schema: str | None = None) -> Table:
    """The table, in the schema of Alembic's own."""
    return Table(
        TABLE,
        MetaData(schema=schema),
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("revision", Text, nullable=False),
        Column("direction", Text, nullable=False),
        Column("outcome", Text, nullable=False, server_default="running"),
        Column("started", _TIME, nullable=False, server_default=func.clock_timestamp()),
        Column("finished", _TIME),
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


async def history_exists(connection: AsyncConnection) -> bool:
    """Whether the table is there, where the search_path leads to."""
    return bool(await connection.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": TABLE}))


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
    lock_waits: int = 0
    retries: int = 0


class History:
    """The table on a sync AUTOCOMMIT connection."""

    def __init__(self, connection: Connection, schema: str | None) -> None:
        self.connection = connection
        self.table = history_table(schema)
        self._resumable: dict[str, Row[Any]] = {}

    def prepare(self) -> list[Row[Any]]:
        """Make the table if need be; call what still runs interrupted, and return it. Needs the migrator's lock."""
        self.connection.execute(CreateTable(self.table, if_not_exists=True))
        columns = self.table.c
        interrupted = self.connection.execute(
            update(self.table)
            .where(columns.outcome == "running")
            .values(outcome="interrupted")
            .returning(columns.revision, columns.direction, columns.step, columns.started, columns.host)
        ).all()
        last = select(func.max(columns.id)).group_by(columns.revision)
        rows = self.connection.execute(select(self.table).where(columns.id.in_(last), columns.outcome != "done"))
        half_done = [row for row in rows if row.journal]
        self._resumable = {row.revision: row for row in half_done}
        return list(interrupted)

    def start(self, revision: str, direction: str, path: Path, version: str, unfinished: Sequence[str]) -> Entry:
        """Begin a row, and carry over what an earlier try of the same left committed."""
        last = self._resumable.get(revision)
        resumed = last if last and last.direction == direction else None
        before = resumed.unfinished_before if resumed else list(unfinished)
        journal = list(resumed.journal) if resumed else []
        values = {
            "revision": revision,
            "direction": direction,
            "host": socket.gethostname(),
            "checksum": checksum(path),
        }
        number = self.connection.scalar(
            insert(self.table)
            .values(**values, application_version=version, journal=journal, unfinished_before=before)
            .returning(self.table.c.id)
        )
        return Entry(int(number or 0), revision, direction, journal, before, resumed.step if resumed else None)

    def note_step(self, entry: Entry, step: str) -> None:
        """Say which statement is about to run."""
        self._update(self.connection, entry, step=step)

    def fail(self, entry: Entry, outcome: str) -> None:
        """`failed` or `stopped`: the transaction was rolled back, what the journal says stays."""
        counts = {"lock_waits": entry.lock_waits, "retries": entry.retries}
        # A stop in the middle of one of our own statements has cost the connection: this makes SQLAlchemy open another.
        self.connection.rollback()
        self._update(self.connection, entry, outcome=outcome, finished=func.clock_timestamp(), **counts)
        self.connection.commit()

    def finish(self, connection: Connection, entry: Entry) -> None:
        """Complete the row on the revision's own `connection`, in the transaction that stamps it."""
        counts = {"lock_waits": entry.lock_waits, "retries": entry.retries}
        done: dict[str, Any] = {"outcome": "done", "finished": func.clock_timestamp(), "journal": [], "step": None}
        self._update(connection, entry, **counts, **done)

    def write_journal(self, connection: Connection, entry: Entry) -> None:
        """Keep what is committed together with this write, on the revision's own `connection`."""
        self._update(connection, entry, journal=entry.journal)

    def _update(self, connection: Connection, entry: Entry, **values: Any) -> None:
        connection.execute(update(self.table).where(self.table.c.id == entry.id).values(**values))
