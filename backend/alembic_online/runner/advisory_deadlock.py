"""Another deploy waits for an advisory lock of env.py's, and an index that is built CONCURRENTLY waits for that deploy.

Who waits in `pg_advisory_lock` holds the snapshot of his statement. CREATE and REINDEX INDEX CONCURRENTLY wait for each
older snapshot (`WaitForOlderSnapshots`, PostgreSQL 16 to 18), so that PostgreSQL ends one of the two as a deadlock: as
often as not the other deploy, and otherwise the build, at each try. No statement of ours can let the other one go on.
"""

import re

from sqlalchemy import Connection, text

from alembic_online.errors import TableBlocked

_WAITS_FOR_SNAPSHOTS = re.compile(r"\b(CREATE|REINDEX)\b.*\bCONCURRENTLY\b", re.IGNORECASE | re.DOTALL)
# The database is a column of the lock: one of another database is another lock.
_WAITING = text(
    """
    SELECT a.pid, a.application_name FROM pg_locks held
    JOIN pg_locks waiting ON waiting.locktype = 'advisory' AND NOT waiting.granted
        AND (waiting.database, waiting.classid, waiting.objid, waiting.objsubid)
          = (held.database, held.classid, held.objid, held.objsubid)
    JOIN pg_stat_activity a ON a.pid = waiting.pid AND a.backend_xmin IS NOT NULL
    WHERE held.locktype = 'advisory' AND held.granted AND held.pid = pg_backend_pid()
    ORDER BY a.backend_start LIMIT 1
    """
)


def refuse_deadlock(connection: Connection, statement: str) -> None:
    """Raise `TableBlocked` where `statement` would wait for somebody who waits for a lock of this session."""
    if not _WAITS_FOR_SNAPSHOTS.search(statement):
        return
    if (waiting := connection.execute(_WAITING).first()) is not None:
        name = f" ({waiting.application_name})" if waiting.application_name else ""
        raise TableBlocked(
            f"Session {waiting.pid}{name} waits for an advisory lock that this migration's session holds, and an index"
            " that is built CONCURRENTLY waits for that session: neither would ever go on.",
            "Run one deploy at a time, or take the lock by pg_try_advisory_lock in a loop, which holds no snapshot"
            " while it waits. Then run the same command again: it goes on where it stopped.",
        )
