"""The triggers of a table that a change of ours fills: PostgreSQL would rewrite it without firing any, and so do we.

With `session_replication_role = replica` a session fires only what is ENABLE ALWAYS, as the trigger of a shadow column
is (PostgreSQL 16 to 18: for superusers, and for whoever was granted SET ON PARAMETER).
"""

import logging

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger("alembic.runtime.migration")

_MAY = "has_parameter_privilege('session_replication_role', 'SET')"
SILENCE = f"CASE WHEN {_MAY} THEN set_config('session_replication_role', 'replica', {{local}}) END"
"""SQL: fire none, where the role may say so; for the transaction where `local` is true."""
_FIRED = text(
    f"""
    SELECT quote_ident(tgname) FROM pg_trigger
    WHERE NOT {_MAY} AND tgrelid = to_regclass(:table) AND NOT tgisinternal AND tgenabled IN ('O', 'A')
      AND tgtype & 17 = 17 AND tgname NOT LIKE '~%' ORDER BY tgname
    """
)


async def silence(connection: AsyncConnection) -> None:
    """For the rest of the session."""
    await connection.execute(text(f"SELECT {SILENCE.format(local='false')}"))


async def tell_who_fires(connection: AsyncConnection, table: str) -> None:
    """Name the triggers for each row that this role cannot keep still."""
    fired = (await connection.scalars(_FIRED, {"table": table})).all()
    if fired:
        log.warning(
            "Filling %s fires its triggers %s for each row; a role with SET ON PARAMETER session_replication_role"
            " spares them.",
            table,
            ", ".join(fired),
        )
