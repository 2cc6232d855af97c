"""The connections of a backfill: in autocommit, so that VACUUM can run on them, and each batch a transaction."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alembic_online.backfill.state import make_table
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

SET_LOCAL = text("SELECT set_config(key, value, true) FROM json_each_text(CAST(:settings AS json))")
_SET = text("SELECT set_config(key, value, false) FROM json_each_text(CAST(:settings AS json))")


@asynccontextmanager
async def session(
    engine: AsyncEngine, lock_timeout: float, settings: Mapping[str, str]
) -> AsyncIterator[AsyncConnection]:
    """A connection for statements that end with their client, and wait for a lock no longer than so many seconds.

    `settings` are those of a definition; with some, it is closed afterwards, and goes back to no pool.
    """
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await prepare_session(connection)
        await have_set(connection, settings)
        limit = min(max(1, round(lock_timeout * 1000)), 2**31 - 1)
        await connection.execute(_LIMITS, {"limit": str(limit)})
        try:
            yield connection
        finally:
            if settings:
                await connection.invalidate()


async def have_set(connection: AsyncConnection, settings: Mapping[str, str]) -> None:
    """Give a connection, in autocommit, the settings of a definition until it is closed."""
    if settings:
        await make_table(connection)  # found now: the search_path may soon lead elsewhere
        await connection.execute(_SET, {"settings": json.dumps(dict(settings))})


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
