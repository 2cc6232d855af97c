"""Revisions that stopped in their middle, with a part of them committed: whoever looks at the database must know."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, literal_column, select
from sqlalchemy.schema import CreateTable

from alembic_online.runtime.advisory_lock import MIGRATOR, lock_space
from alembic_online.runtime.bookkeeping import standing
from alembic_online.runtime.history import TABLE, history_table

_BUSY: ColumnElement[Any] = literal_column(
    f"EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid::bigint = {lock_space()}"
    f" AND objid::bigint = {MIGRATOR}"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
).label("busy")


@dataclass(frozen=True)
class HalfDone:
    """One revision, and how far it came."""

    row: Row[Any]

    @property
    def revision(self) -> str:
        return str(self.row.revision)

    @property
    def sentence(self) -> str:
        """What it is, and the next step."""
        step = f" at step {self.row.step}" if self.row.step else ""
        if self.row.busy and self.row.outcome == "running":
            return f"The {self.row.direction} of {self.revision} is running now{step}: a part of it is done."
        goes_on = "alembic upgrade" if self.row.direction == "upgrade" else "alembic downgrade"
        return (
            f"{self.revision} is half done: its {self.row.direction} stopped{step}, and what came before that is"
            f" committed. The same command ({goes_on} ...) finishes it."
        )


def read_half_done(connection: Connection) -> tuple[HalfDone, ...]:
    """All of them, the oldest first."""
    schema, exists = standing(connection, TABLE)
    if not exists:
        return ()
    table = history_table(schema)
    columns = table.c
    last = select(func.max(columns.id)).group_by(columns.revision)
    half = select(table, _BUSY).where(columns.id.in_(last), columns.outcome != "done", columns.journal != [])
    rows = connection.execute(half.order_by(columns.id)).all()
    return tuple(map(HalfDone, rows))


def copy_half_done(connection: Connection, found: Sequence[HalfDone], schema: str) -> None:
    """Put them into a database that is to be like this one: what runs there goes on from there too."""
    if not found:
        return
    table = history_table(schema)
    connection.execute(CreateTable(table, if_not_exists=True))
    kept = [column.name for column in table.columns if column.name not in ("id", "outcome")]
    rows = [{name: each.row._mapping[name] for name in kept} | {"outcome": "failed"} for each in found]
    connection.execute(insert(table), rows)
