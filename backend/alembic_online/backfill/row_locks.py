"""A row that somebody else holds: who does, and how to get on with the others meanwhile."""

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.backfill import state
from alembic_online.backfill.batch import next_range
from alembic_online.backfill.batch_sql import Work
from alembic_online.backfill.keyset import Position
from alembic_online.postgres.blockers import holders_of
from alembic_online.postgres.locks import LockMode
from alembic_online.runtime.blocker_report import described, duration

# Who has locked a row alone stands in its xmax; several who share it do not.
_HOLDER = """
    SELECT l.pid, a.usename, a.application_name, a.state,
           CAST(extract(epoch FROM now() - a.xact_start) AS float8) AS age
    FROM {table} AS held JOIN pg_locks l ON l.locktype = 'transactionid' AND l.transactionid = held.xmax AND l.granted
    LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE {condition} LIMIT 1
"""


async def table_is_held(connection: AsyncConnection, work: Work) -> str | None:
    """By whom the whole table is locked, in words; None where it is not."""
    holders = await holders_of(connection, work.definition.table, LockMode.ROW_EXCLUSIVE)
    return f"{work.definition.table} is locked by {described(holders[0])}" if holders else None


async def set_aside(connection: AsyncConnection, work: Work, slice_: Row[tuple[object, ...]]) -> str | None:
    """Make the next row of the slice one of its own, in the transaction at hand; tells who holds it, if somebody does.

    The table must be free.
    """
    found = await next_range(connection, work, slice_.position, slice_.upto, 1)
    if found is None:
        return None
    condition, parameters = work.key.between(slice_.position, found[0])
    free = f"SELECT count(*) FROM (SELECT FROM {work.table} WHERE {condition} FOR NO KEY UPDATE SKIP LOCKED) AS free"
    held = (await connection.scalar(text(free), parameters) or 0) < found[1]
    await state.part(connection, slice_, found[0])
    return await _who(connection, work, slice_.position, found[0]) if held else None


async def _who(connection: AsyncConnection, work: Work, after: Position | None, upto: Position) -> str:
    condition, parameters = work.key.between(after, upto)
    query = text(_HOLDER.format(table=work.table, condition=condition))
    row = (await connection.execute(query, parameters)).first()
    what = f"the row {work.key.named(upto)} of {work.definition.table} is held by"
    if row is None:
        return f"{what} somebody"
    if row.pid is None:
        return f"{what} a prepared transaction"
    who = "@".join(part for part in (row.usename, row.application_name) if part)
    since = f", {row.state} for {duration(row.age)}" if row.age is not None else ""
    return f"{what} pid {row.pid} ({who}{since})"
