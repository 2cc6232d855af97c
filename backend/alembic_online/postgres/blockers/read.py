"""Reading who blocks whom: `pg_locks`, `pg_blocking_pids()`, `pg_stat_activity` and `pg_prepared_xacts`.

Any role may ask. For the query and the ages of other roles' sessions it needs pg_read_all_stats (pg_monitor has it).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.blockers.blocker import MIGRATION, Blocker, Kind, Queue
from alembic_online.postgres.blockers.unqueued import IN_THEIR_WAY, THEMSELVES, UNQUEUED
from alembic_online.postgres.locks import LockMode
from alembic_online.postgres.sql.literals import shorten

Key = int | str

QUERY_LENGTH = 200

# Inside a transaction the server keeps showing the sessions as they were at the first look.
_LOOK_AGAIN = text("SELECT pg_stat_clear_snapshot()")
_FAMILY = """family AS (
  SELECT to_regclass(:table)::oid AS oid UNION SELECT inhrelid FROM pg_inherits JOIN family ON inhparent = oid
)"""
_HELD = """
SELECT pid, virtualtransaction, locktype, relation, mode, granted, NULL::text AS wanted, NULL::int AS waiter
FROM pg_locks
WHERE locktype = 'relation' AND granted AND mode = ANY (string_to_array(:modes, ','))
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND relation IN (SELECT oid FROM family) AND pid IS DISTINCT FROM pg_backend_pid()
  AND coalesce(pid <> ALL (CAST(string_to_array(:not_pids, ',') AS int[])), true)
"""
_WAITS = """
SELECT *, pg_blocking_pids(pid) AS blocked_by FROM pg_locks
WHERE NOT granted AND pid = coalesce(CAST(:pid AS int), pid)
  AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())
"""
# Whoever is in the way has a lock, or a place further ahead in the queue, on the very object that is waited for.
_IN_THE_WAY = """
SELECT l.pid, l.virtualtransaction, w.locktype, w.relation, l.mode, l.granted, w.mode, w.pid
FROM waits w JOIN pg_locks l ON coalesce(l.pid, 0) = ANY (w.blocked_by) AND l.mode <> 'SIReadLock'
  AND (l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid, l.classid, l.objid,
       l.objsubid) IS NOT DISTINCT FROM (w.locktype, w.database, w.relation, w.page, w.tuple, w.virtualxid,
       w.transactionid, w.classid, w.objid, w.objsubid)
"""
_WAITING = """
SELECT pid, virtualtransaction, locktype, relation, mode, false, NULL, NULL FROM waits
"""
# Locks on user tables (system catalogues have the oids below 16384) of those who do nothing with them.
_IDLE = """
SELECT DISTINCT ON (pid) pid, virtualtransaction, locktype, relation, mode, true, NULL, NULL
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'relation' AND granted AND mode <> 'SIReadLock' AND relation >= 16384
  AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY pid, relation
"""
# One clock a session, read after its row: of two, the second is later, and nobody idles longer than his transaction.
_SESSIONS = """
SELECT l.pid, p.gid, l.virtualtransaction, l.waiter,
  l.locktype, l.relation::regclass::text AS relation, l.mode, l.granted AS held, l.wanted,
  NOT l.granted OR EXISTS (SELECT FROM pg_locks q WHERE q.pid = l.pid AND NOT q.granted) AS waiting,
  coalesce(a.usename, p.owner)::text AS role, nullif(a.application_name, '') AS application,
  host(a.client_addr) AS client, a.state, a.wait_event_type || ': ' || a.wait_event AS wait_event,
  a.backend_type, a.query,
  CAST(extract(epoch FROM clock.now - coalesce(a.xact_start, p.prepared)) AS float8) AS transaction_age,
  CAST(extract(epoch FROM clock.now - a.state_change) AS float8) AS state_age,
  a.usesysid IS NULL AS is_background, quote_ident(current_user) AS me
FROM locks l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN pg_locks x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid' AND x.granted
  AND x.virtualtransaction = l.virtualtransaction
LEFT JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
CROSS JOIN LATERAL (SELECT clock_timestamp() AS now, l.pid) clock
WHERE a.leader_pid IS NULL
ORDER BY transaction_age DESC NULLS LAST, l.pid
"""
_COLUMNS = "locks (pid, virtualtransaction, locktype, relation, mode, granted, wanted, waiter)"
_HOLDERS_OF = text(f"WITH RECURSIVE {_FAMILY}, {_COLUMNS} AS ({_HELD}) {_SESSIONS}")
_IDLE_HOLDERS = text(f"WITH {_COLUMNS} AS ({_IDLE}) {_SESSIONS}")
_BLOCKERS_OF = text(f"WITH waits AS MATERIALIZED ({_WAITS}), {_COLUMNS} AS ({_IN_THE_WAY}) {_SESSIONS}")
_EVERYBODY = f"{_IN_THE_WAY} UNION ALL {_WAITING} UNION ALL {IN_THEIR_WAY} UNION ALL {THEMSELVES}"
_ALL = text(
    f"WITH waits AS MATERIALIZED ({_WAITS}), unqueued AS MATERIALIZED ({UNQUEUED}), {_COLUMNS} AS ({_EVERYBODY})"
    f" {_SESSIONS}"
)


async def holders_of(
    connection: AsyncConnection,
    table: str,
    mode: LockMode,
    *,
    not_pids: Collection[int] = (),
    show_literals: bool = False,
) -> list[Blocker]:
    """Who holds a lock on `table` that conflicts with `mode`, longest transaction first; nobody if there is no `table`.

    On its partitions and children too: most statements lock them along with it.
    `table` is as written in SQL. The connection's own locks do not count, nor those of `not_pids`.
    """
    modes = [other.pg_locks for other in LockMode if other.conflicts_with(mode)]
    # As texts: for an array asyncpg reads its type from the catalogue, again after each schema change.
    given = {"table": table, "modes": ",".join(modes), "not_pids": ",".join(map(str, not_pids))}
    rows = await _rows(connection, _HOLDERS_OF, given)
    return [_blocker(row, wanted=mode, show_literals=show_literals) for row in _strongest(rows)]


async def blockers_of(connection: AsyncConnection, pid: int, *, show_literals: bool = False) -> list[Blocker]:
    """Whom the backend `pid` waits for right now: those who hold its lock, and those before it in the queue."""
    rows = await _rows(connection, _BLOCKERS_OF, {"pid": pid})
    return [_blocker(row, show_literals=show_literals) for row in _strongest(rows)]


async def idle_holders(connection: AsyncConnection, *, show_literals: bool = False) -> list[Blocker]:
    """Who is idle in a transaction with a lock on a table of this database, as far as the asking role may see states.

    Nobody need wait for them yet. Of several locks one is told.
    """
    return [_blocker(row, show_literals=show_literals) for row in await _rows(connection, _IDLE_HOLDERS, {})]


async def all_blockers(connection: AsyncConnection, *, show_literals: bool = False) -> list[Queue]:
    """Everybody in this database who holds somebody up, longest transaction first, each with the queue behind it.

    Who waits for several stands once, as near to a head as can be. In a deadlock, until the server breaks it, one of
    those in it is the head. A migration that waits without queueing stands in the queue that it keeps out of.
    """
    rows = await _rows(connection, _ALL, {"pid": None})
    edges = [row for row in rows if row["waiter"] is not None]
    waiters: dict[Key, dict[int, None]] = defaultdict(dict)
    for edge in edges:
        waiters[_key(edge)][edge["waiter"]] = None
    # Of one who is in the way it is told where, of the others what they wait for.
    sessions = {_key(row): row for row in [*(row for row in rows if row["waiter"] is None), *edges]}
    heads = [key for key, row in sessions.items() if key in waiters and not row["waiting"]]
    blockers = {key: _blocker(row, show_literals=show_literals) for key, row in sessions.items()}
    return _queues(heads, blockers, waiters)


def _queues(heads: Iterable[Key], blockers: Mapping[Key, Blocker], waiters: Mapping[Key, Iterable[int]]) -> list[Queue]:
    roots: list[Key] = []
    behind: dict[Key, list[Key]] = defaultdict(list)
    placed: set[Key] = set()
    for start in [list(heads), *([key] for key in waiters)]:
        line = [key for key in start if key not in placed]
        roots += line
        placed.update(line)
        for key in line:  # it grows meanwhile: breadth first
            for pid in waiters.get(key, ()):
                if pid in blockers and pid not in placed:  # a parallel worker is not told
                    placed.add(pid)
                    behind[key].append(pid)
                    line.append(pid)

    def queue(key: Key) -> Queue:
        return Queue(blockers[key], tuple(map(queue, behind[key])))

    return list(map(queue, roots))


async def _rows(connection: AsyncConnection, query: TextClause, given: Mapping[str, Any]) -> list[RowMapping]:
    session = connection.sync_connection
    if session is None or session.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        await connection.execute(_LOOK_AGAIN)
    return list((await connection.execute(query, given)).mappings())


def _strongest(rows: Iterable[RowMapping]) -> list[RowMapping]:
    """One row for each session, in the order of `rows`."""
    found: dict[Key, RowMapping] = {}
    for row in rows:
        key = _key(row)
        if key not in found or LockMode.parse(found[key]["mode"]) < LockMode.parse(row["mode"]):
            found[key] = row
    return list(found.values())


def _key(row: RowMapping) -> Key:
    pid: int | None = row["pid"]
    return str(row["gid"]) if pid is None else pid


def _blocker(row: RowMapping, *, wanted: LockMode | None = None, show_literals: bool) -> Blocker:
    hidden = row["query"] == "<insufficient privilege>"
    return Blocker(
        kind=_kind(row),
        query=None if hidden else row["gid"] or shorten(row["query"] or "", QUERY_LENGTH, show_literals=show_literals),
        not_visible=f"GRANT pg_read_all_stats TO {row['me']}" if hidden else None,
        mode=LockMode.parse(row["mode"]),
        transaction=row["virtualtransaction"],
        wanted=wanted or (LockMode.parse(row["wanted"]) if row["wanted"] else None),
        lock_type=row["locktype"],
        **{name: row[name] for name in _AS_READ},
    )


_AS_READ = (
    "pid",
    "role",
    "application",
    "client",
    "state",
    "wait_event",
    "transaction_age",
    "state_age",
    "relation",
    "held",
    "waiting",
)


def _kind(row: RowMapping) -> Kind:
    if row["pid"] is None:
        return "prepared transaction"
    if row["backend_type"] == "autovacuum worker":
        return "anti-wraparound autovacuum" if "to prevent wraparound" in row["query"] else "autovacuum"
    if row["is_background"]:
        return "background process"
    return "another migration" if (row["application"] or "").startswith(MIGRATION) else "client"
