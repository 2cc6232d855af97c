"""Is a migration running on this database right now? Read from the migrator's lock and the history."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.runtime.advisory_lock import find_holder, lock_space
from alembic_online.runtime.history import find_history


@dataclass(frozen=True, slots=True)
class RunningMigration:
    """Who migrates, which revision, since when; the revision is None before the first one begins."""

    who: str
    revision: str | None = None
    direction: str | None = None
    step: str | None = None
    since: str | None = None


async def running_migration(connection: AsyncConnection) -> RunningMigration | None:
    """The migration that holds the lock, or None. Two queries that only read, one where nobody migrates."""
    holder = await find_holder(connection, lock_space())
    if holder is None:
        return None
    history = await find_history(connection)
    if history is None:
        return RunningMigration(str(holder))
    columns = history.c
    query = select(columns.revision, columns.direction, columns.step, columns.started, columns.host)
    row = (await connection.execute(query.where(columns.outcome == "running").order_by(columns.id.desc()))).first()
    if row is None:
        return RunningMigration(str(holder))
    who = f"{holder} on {row.host}"
    return RunningMigration(who, row.revision, row.direction, row.step, row.started.isoformat(timespec="seconds"))
