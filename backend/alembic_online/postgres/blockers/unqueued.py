"""A wait that stands in no queue, told to whoever looks: by advisory locks, which every role sees and no crash leaves.

Who looks for a free way before he queues waits for nothing that `pg_locks` knows. So he holds two locks meanwhile, on a
connection of his own: one says the mode and the table, the other which backend it is for.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.locks import LockMode


def _key(words: str) -> int:
    return zlib.crc32(f"waits without queueing: {words}".encode()) & 0x7FFFFFFF


_MODES = {mode: _key(str(mode)) for mode in LockMode}
_ON_BEHALF_OF = _key("on behalf of")
# An oid has 32 bits, and a key is signed.
_KEY_OF = text("SELECT CAST(CAST(CAST(CAST(to_regclass(:table) AS oid) AS int8) AS bit(32)) AS int4)")
_BEGIN = text(f"SELECT pg_advisory_lock_shared(:mode, :table), pg_advisory_lock_shared({_ON_BEHALF_OF}, :pid)")
_END = text(f"SELECT pg_advisory_unlock_shared(:mode, :table), pg_advisory_unlock_shared({_ON_BEHALF_OF}, :pid)")


def _values(rows: Iterable[tuple[str, str]]) -> str:
    return f"(VALUES {', '.join(f'({one}, {two})' for one, two in rows)})"


_HERE = "(SELECT oid FROM pg_database WHERE datname = current_database())"
UNQUEUED = f"""
SELECT l.objid AS relation, m.mode, CAST(CAST(b.objid AS int8) AS int) AS pid
FROM pg_locks l JOIN {_values((f"CAST({key} AS oid)", f"'{mode.pg_locks}'") for mode, key in _MODES.items())}
  AS m (key, mode) ON l.classid = m.key
JOIN pg_locks b ON b.pid = l.pid AND b.locktype = 'advisory' AND b.classid = {_ON_BEHALF_OF} AND b.objsubid = 2
WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.database = {_HERE}
"""
"""Who waits so: relation, mode and pid."""
THEMSELVES = """
SELECT pid, NULL, 'relation', relation, mode, false, NULL, NULL FROM unqueued
"""
_PAIRS = [(f"'{one.pg_locks}'", f"'{two.pg_locks}'") for one in LockMode for two in one.conflicts]
# Younger ones are gone before they could be told; the age of another role's may not be visible.
IN_THEIR_WAY = f"""
SELECT l.pid, l.virtualtransaction, l.locktype, l.relation, l.mode, l.granted, u.mode, u.pid
FROM unqueued u JOIN pg_locks l ON l.locktype = 'relation' AND l.granted AND l.relation = u.relation
  AND l.database = {_HERE} AND l.pid IS DISTINCT FROM u.pid
JOIN {_values(_PAIRS)} AS conflict (one, two) ON l.mode = one AND u.mode = two
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE coalesce(clock_timestamp() - a.xact_start > '100 ms', true)
"""


@dataclass(frozen=True, slots=True)
class UnqueuedWait:
    """Backend `pid` waits for `mode` on the table with this `key`."""

    mode: LockMode
    key: int
    pid: int

    @classmethod
    async def begin(cls, connection: AsyncConnection, table: str, mode: LockMode, pid: int) -> "UnqueuedWait | None":
        """Tell it until `end`, or the end of this session; None for a table that is not there any more."""
        key = await connection.scalar(_KEY_OF, {"table": table})
        if key is None:
            return None
        wait = cls(mode, key, pid)
        await connection.execute(_BEGIN, wait._keys)
        return wait

    async def end(self, connection: AsyncConnection) -> None:
        """It waits no longer."""
        await connection.execute(_END, self._keys)

    @property
    def _keys(self) -> dict[str, int]:
        return {"mode": _MODES[self.mode], "table": self.key, "pid": self.pid}
