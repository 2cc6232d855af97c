"""The connections of a backfill: in autocommit, so that VACUUM can run on them, and each batch a transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alembic_online.runtime.session import prepare_session

# A role's own statement_timeout is not meant for a VACUUM. Nobody waits for the disk: a server that crashes loses the
# rows and the position of the last batches together. Rows that a policy hides are refused instead of passed over
# (PostgreSQL 16 to 18, row_security). With too few digits a float's text is another number, and no place in the key.
_LIMITS = text(
    "SELECT set_config('lock_timeout', :limit, false), set_config('statement_timeout', '0', false),"
    " set_config('synchronous_commit', 'off', false), set_config('row_security', 'off', false),"
    " set_config('extra_float_digits', CAST(greatest(CAST(current_setting('extra_float_digits') AS int), 1) AS text),"
    " false)"
)


@asynccontextmanager
async def session(engine: AsyncEngine, lock_timeout: float) -> AsyncIterator[AsyncConnection]:
    """A connection for statements that end with their client, and wait for a lock no longer than so many seconds."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await prepare_session(connection)
        limit = min(max(1, round(lock_timeout * 1000)), 2**31 - 1)
        await connection.execute(_LIMITS, {"limit": str(limit)})
        yield connection


@asynccontextmanager
async def transaction(connection: AsyncConnection) -> AsyncIterator[None]:
    """READ COMMITTED, whatever the role's default is."""
    await connection.exec_driver_sql("BEGIN ISOLATION LEVEL READ COMMITTED")
    try:
        yield
    except Exception:
        if not connection.invalidated:
            await connection.exec_driver_sql("ROLLBACK")
        raise
    except BaseException:  # stopped in the middle of a statement: the driver's connection is of no use any more
        await connection.invalidate()
        raise
    await connection.exec_driver_sql("COMMIT")
