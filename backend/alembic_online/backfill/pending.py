"""Is there a row left that needs it? A backfill of which none is left counts as done: that of an empty table does."""

import json

from sqlalchemy import func, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.backfill import state
from alembic_online.backfill.batch import prepare
from alembic_online.backfill.definition import Backfill
from alembic_online.backfill.session import SET_LOCAL, transaction
from alembic_online.errors import RequestRefused
from alembic_online.postgres import sqlstate

# A row that a policy hides counts.
_LOOK = text("SELECT set_config('statement_timeout', :limit, true), set_config('row_security', 'off', true)")
_SECOND = 1000  # milliseconds: a revision waits for the answer, maybe with a lock
_NOT_SEEN = (sqlstate.QUERY_CANCELED, sqlstate.LOCK_NOT_AVAILABLE)


async def is_needed(connection: AsyncConnection, definition: Backfill, *, limit: int = _SECOND) -> bool:
    """Whether a row is left that needs it, on an AUTOCOMMIT connection; also where that is not seen within `limit`.

    Milliseconds; 0 for as long as it takes. Raises `RequestRefused` where the table is not fit.
    """
    try:
        async with transaction(connection):
            await connection.execute(SET_LOCAL, {"settings": json.dumps(dict(definition.settings))})
            work = await prepare(connection, definition)
            differs = "true" if definition.into or definition.function is not None else work.differs
            query = text(f"SELECT EXISTS (SELECT FROM {work.table} WHERE {work.needed} AND {differs})")
            await connection.execute(_LOOK, {"limit": str(limit)})
            return bool(await connection.scalar(query))
    except DBAPIError as error:
        if sqlstate.sqlstate(error) not in _NOT_SEEN:
            raise
        return True


async def begin_again_where_needed(connection: AsyncConnection, definition: Backfill) -> None:
    """Forget one that is at its end where rows need it: somebody has put back others since; on AUTOCOMMIT."""
    progress = await state.read_progress(connection, definition.name)
    if progress and progress[0].finished and await is_needed(connection, definition, limit=0):
        await state.forget(connection, definition.name)


async def is_done(connection: AsyncConnection, name: str) -> bool:
    """Whether the one that was begun under `name` is at its end, or has no row left and is now; on AUTOCOMMIT."""
    if all(each.finished for each in await state.read_progress(connection, name)):
        return True
    try:
        definition = await state.read_definition(connection, name)
    except RequestRefused:  # its function is known to a revision only
        return False
    if await is_needed(connection, definition):
        return False
    table = await state.make_table(connection)
    left = (table.c.name == name, table.c.finished.is_(None))
    await connection.execute(update(table).where(*left).values(finished=func.clock_timestamp()))
    return True
