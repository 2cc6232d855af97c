"""A VACUUM between batches: what they leave behind is removed before the table grows by it."""

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.sqlstate import LOCK_NOT_AVAILABLE, sqlstate

# An autovacuum, which works slowly, makes way for whoever has waited `deadlock_timeout` for its lock, unless it is one
# against wraparound (PostgreSQL 16 to 18, ProcSleep). It is SHARE UPDATE EXCLUSIVE: no read or write waits behind it.
_MAKE_WAY = text(
    "SELECT current_setting('lock_timeout'), set_config('lock_timeout',"
    " (500 + 1000 * extract(epoch FROM current_setting('deadlock_timeout')::interval))::int::text, false)"
)
_AS_BEFORE = text("SELECT set_config('lock_timeout', :limit, false)")


async def vacuum(connection: AsyncConnection, table: str) -> bool:
    """Remove dead rows of `table` (as SQL), on an AUTOCOMMIT connection; False if somebody else does, and goes on."""
    before = (await connection.execute(_MAKE_WAY)).one()[0]
    is_done = await _is_granted(connection, table)
    await connection.execute(_AS_BEFORE, {"limit": before})
    return is_done


async def _is_granted(connection: AsyncConnection, table: str) -> bool:
    try:
        # Not TRUNCATE: giving pages back takes ACCESS EXCLUSIVE.
        await connection.execute(text(f"VACUUM (TRUNCATE false) {table}"))
    except DBAPIError as error:
        if sqlstate(error) != LOCK_NOT_AVAILABLE:
            raise
        return False
    return True
