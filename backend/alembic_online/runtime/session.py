"""The sessions of a run, made ours: one that keeps what is set and locked in it, outlives its role's own limits, and
ends with its client.
"""

import json
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alembic_online.postgres.connection.keepalive import PATIENCE, keep_alive, server_settings
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.runtime.lock_timeout import SESSION_SETTINGS

_SETTINGS = {
    "client_connection_check_interval": "1s",  # a killed client's statement must not run on for nobody
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",  # PostgreSQL 17
    # The history is written by one session and completed by the other, which must see it.
    "default_transaction_isolation": "read committed",
    # Compiled is what the planner holds for much work, also the end of a large change, which runs under a strong lock:
    # 54 of its 190 ms on a million rows, and far more where plans are optimized and inlined (PostgreSQL 17, LLVM 19).
    "jit": "off",
    **SESSION_SETTINGS,
}
_PREPARE = text(
    "SELECT pg_backend_pid(), count(set_config(key, value, false)) FROM json_each_text(CAST(:settings AS json))"
    " WHERE current_setting(key, true) IS NOT NULL"
)
_PID = text("SELECT pg_backend_pid()")


async def prepare_session(connection: AsyncConnection, patience: float = PATIENCE) -> int:
    """Set what holds until the session ends; returns its backend's pid. A network may be silent for `patience` s."""
    await keep_alive(connection, patience)
    pid = await _set(connection, patience)
    await connection.commit()
    return pid


async def prepare_own_session(
    engine: AsyncEngine, connection: AsyncConnection, target: DatabaseURL, patience: float = PATIENCE
) -> int:
    """The same. Raises `ServerUnfit` behind a pooler in transaction mode, where nothing has been set then."""
    await keep_alive(connection, patience)
    pid = await _set(connection, patience)
    if pid != await _announced_pid(connection):
        await connection.rollback()
        await _refuse_transaction_pooler(engine, connection, target)
        pid = await _set(connection, patience)
    await connection.commit()
    return pid


def session_settings(patience: float = PATIENCE) -> dict[str, str]:
    """What is set in each session of a run."""
    return {**_SETTINGS, **server_settings(patience)}


async def _set(connection: AsyncConnection, patience: float) -> int:
    settings = json.dumps(session_settings(patience))
    return int(await connection.scalar(_PREPARE, {"settings": settings}) or 0)


async def _refuse_transaction_pooler(engine: AsyncEngine, connection: AsyncConnection, target: DatabaseURL) -> None:
    """A pooler shows itself by a backend pid of its own making.

    Then, in transaction mode and only there, a second client is given the server connection that the first one, still
    connected, has just used.
    """
    from alembic_online.postgres.connection.failures import behind_transaction_pooler  # noqa: PLC0415  only behind a pooler

    pid = await _backend_pid(connection)
    for _ in range(3):
        async with engine.connect() as second:
            if pid == await _backend_pid(second):
                raise behind_transaction_pooler(target.place)
        pid = await _backend_pid(connection)


async def _backend_pid(connection: AsyncConnection) -> int:
    pid = int(await connection.scalar(_PID) or 0)
    await connection.rollback()  # ends the transaction: only now may a pooler give its server connection to another
    return pid


async def _announced_pid(connection: AsyncConnection) -> int:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    return int(driver.get_server_pid() if hasattr(driver, "get_server_pid") else driver.info.backend_pid)
