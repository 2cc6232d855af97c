"""What was sent and nobody waits for does not outlive the migration."""

import asyncio

from sqlalchemy import pool, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from alembic_online.runtime.control_connection import Asking


async def _close_in_the_middle(url: str) -> int:
    """How many tasks there are (this is one) when a message that takes a minute is broken off."""
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        asking = Asking(connection)

        async def message(connection: AsyncConnection) -> None:
            await connection.execute(text("SELECT pg_sleep(60)"))

        asking.send(message)
        await asyncio.sleep(0)  # lets it begin
        await asking.close()
        left = len(asyncio.all_tasks())
        await connection.invalidate()
    await engine.dispose()
    return left


def test_a_message_that_is_broken_off_is_gone_before_its_connection_is(database: str) -> None:
    assert asyncio.run(_close_in_the_middle(database)) == 1
