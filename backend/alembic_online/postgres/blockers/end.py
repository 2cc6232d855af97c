"""Ending what is in the way: its statement first, its session if that does not help."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Row, TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres import sqlstate
from alembic_online.postgres.errors import AccessRefused

Outcome = Literal["cancelled", "terminated", "still there", "holds nothing", "not there"]

_PAUSE = 0.05  # seconds
_LOOK_AGAIN = text("SELECT pg_stat_clear_snapshot()")
_BACKEND = text("""
SELECT a.usename::text AS role, a.usesysid IS NULL AS is_background, coalesce(r.rolsuper, false) AS is_super, a.state,
  (SELECT min(l.virtualtransaction) FROM pg_locks l WHERE l.pid = a.pid) AS transaction,
  quote_ident(current_user) AS me, current_setting('server_version_num')::int / 10000 AS version
FROM pg_stat_activity a LEFT JOIN pg_roles r ON r.oid = a.usesysid
WHERE a.pid = :pid AND a.pid <> pg_backend_pid()
""")
# Signalled only while it is in the same transaction: a pooled session may be doing somebody else's work by now.
_IS_IN = "EXISTS (SELECT FROM pg_locks WHERE pid = CAST(:pid AS int) AND virtualtransaction = :transaction)"
_STILL_IN = text(f"SELECT {_IS_IN}")
_CANCEL = text(f"SELECT pg_cancel_backend(CAST(:pid AS int)) WHERE {_IS_IN}")
_TERMINATE = text(f"SELECT pg_terminate_backend(CAST(:pid AS int)) WHERE {_IS_IN}")


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a backend, and the same in words."""

    pid: int
    outcome: Outcome
    sentence: str


async def end(
    connection: AsyncConnection,
    pid: int,
    *,
    grace: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Ending:
    """End the transaction of backend `pid`, so that its locks are free: cancel its statement, then end its session.

    Each gets up to `grace` seconds to have its effect; a session that is idle in its transaction has no statement to
    cancel, and is ended at once. `connection` should be in autocommit: a refusal aborts its transaction.

    Raises `AccessRefused`, with the grant that is missing.
    """
    await connection.execute(_LOOK_AGAIN)
    backend = (await connection.execute(_BACKEND, {"pid": pid})).one_or_none()
    if backend is None:
        return Ending(pid, "not there", f"No other backend has the pid {pid}.")
    if backend.transaction is None:
        return Ending(pid, "holds nothing", f"Pid {pid} is in no transaction and holds nothing; it was left alone.")

    async def signal(query: TextClause, patience: float) -> bool:
        """Whether the transaction is over after the signal."""
        given = {"pid": pid, "transaction": backend.transaction}
        try:
            await connection.execute(query, given)
        except DBAPIError as error:
            if sqlstate.sqlstate(error) != sqlstate.INSUFFICIENT_PRIVILEGE:
                raise
            raise _refused(pid, backend) from error
        deadline = clock() + patience
        while await connection.scalar(_STILL_IN, given):
            if clock() >= deadline:
                return False
            await sleep(_PAUSE)
        return True

    if await signal(_CANCEL, 0 if _is_idle(backend) else grace):
        return Ending(pid, "cancelled", f"The statement of pid {pid} ({backend.role}) was cancelled.")
    if await signal(_TERMINATE, grace):
        return Ending(pid, "terminated", f"The session of pid {pid} ({backend.role}) was ended.")
    return Ending(
        pid, "still there", f"Pid {pid} ({backend.role}) was told to end and has not within {grace:g} s: look again."
    )


def _is_idle(backend: Row[Any]) -> bool:
    return bool(backend.state) and backend.state.startswith("idle")


def _refused(pid: int, backend: Row[Any]) -> AccessRefused:
    if backend.is_super:
        remedy = "Only a superuser may: connect as one."
    elif not backend.is_background:
        remedy = f"Ask an administrator for: GRANT pg_signal_backend TO {backend.me}"
    elif backend.version >= 18:
        remedy = f"Ask an administrator for: GRANT pg_signal_autovacuum_worker TO {backend.me}"
    else:
        remedy = "It belongs to the superuser, and only one may end it: connect as one."
    whose = f"role {backend.role}" if backend.role else "the server itself"
    return AccessRefused(f"The role {backend.me} may not end pid {pid}, which belongs to {whose}.", remedy)
