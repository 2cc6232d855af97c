"""A session that changes the database: it outlives a role's own limits, and ends with its client."""

import json

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from src.postgres.keepalive import SERVER_SETTINGS, keep_alive

# A killed client's statement must not run on for nobody; nor may a role's own limits end a migration in its middle.
_SESSION = text(
    "SELECT set_config(key, value, false) FROM json_each_text(CAST(:settings AS json))"
    " WHERE key IN (SELECT name FROM pg_settings)"
)
_SETTINGS = {
    "client_connection_check_interval": "1s",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",  # PostgreSQL 17
    **SERVER_SETTINGS,
}


async def prepare_session(connection: AsyncConnection) -> int:
    """Make `connection` such a session; returns its backend's pid."""
    await keep_alive(connection)
    await connection.execute(_SESSION, {"settings": json.dumps(_SETTINGS)})
    pid = await connection.scalar(text("SELECT pg_backend_pid()"))
    await connection.commit()
    return int(pid or 0)
