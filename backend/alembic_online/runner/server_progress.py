"""How far the server is with a statement: its own counts where it keeps them, the growth of its files for a rewrite.

A rewrite (ALTER ... TYPE, SET LOGGED, REFRESH) writes files that no catalogue shows before its commit, but the size of
the database counts them from the first page. Against the size that the table had with its indexes, that is how far it
is: about, because others write too, and a copy is tighter or wider than what was. Of a scan (VALIDATE) and of an UPDATE
PostgreSQL 16 to 18 tell nobody before the end how much is done: the size of the table must do.
"""

import re

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.runtime.activity import Activity, Progress

_REWRITES = re.compile(
    r"\s*(?:ALTER\s+TABLE\b.*\b(?:TYPE|DEFAULT|GENERATED|(?:UN)?LOGGED|ACCESS\s+METHOD)\b|REFRESH\s+MATERIALIZED\b)",
    re.IGNORECASE | re.DOTALL,
)
_SIZE = text("SELECT pg_database_size(current_database())")
# Sizes are from the last VACUUM or ANALYZE: pg_table_size() would wait for the very lock that the migration holds.
_PROGRESS = text(
    """
    SELECT phase, greatest(blocks_total, tuples_total, lockers_total) AS total,
           CASE greatest(blocks_total, tuples_total, lockers_total)
           WHEN blocks_total THEN blocks_done WHEN tuples_total THEN tuples_done ELSE lockers_done END AS done,
           relid::regclass::text AS relation, pg_size_pretty(pg_table_size(relid)) AS size
    FROM pg_stat_progress_create_index WHERE pid = :pid
    UNION ALL
    SELECT 'VACUUM, ' || phase, heap_blks_total, heap_blks_scanned, relid::regclass::text,
           pg_size_pretty(heap_blks_total * current_setting('block_size')::bigint)
    FROM pg_stat_progress_vacuum WHERE pid = :pid
    UNION ALL
    SELECT 'ANALYZE, ' || phase, sample_blks_total, sample_blks_scanned, relid::regclass::text,
           pg_size_pretty(sample_blks_total * current_setting('block_size')::bigint)
    FROM pg_stat_progress_analyze WHERE pid = :pid
    UNION ALL
    SELECT command || ', ' || phase, heap_blks_total, heap_blks_scanned, relid::regclass::text,
           pg_size_pretty(heap_blks_total * current_setting('block_size')::bigint)
    FROM pg_stat_progress_cluster WHERE pid = :pid
    UNION ALL
    SELECT 'rewriting', CASE WHEN l.mode = 'AccessExclusiveLock' AND CAST(:before AS bigint) IS NOT NULL THEN (
             SELECT sum(r.relpages::bigint) FROM pg_class r
             WHERE r.oid IN (c.oid, c.reltoastrelid)
               OR r.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = c.oid)
           ) * current_setting('block_size')::bigint ELSE 0 END,
           CASE WHEN CAST(:before AS bigint) IS NULL THEN 0
           ELSE greatest(pg_database_size(current_database()) - CAST(:before AS bigint), 0) END,
           l.relation::regclass::text,
           CASE WHEN c.relpages > 0 THEN 'about ' || pg_size_pretty(c.relpages * current_setting('block_size')::bigint)
           ELSE 'size not known' END
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    WHERE l.pid = :pid AND l.granted AND c.relkind IN ('r', 'p', 'm') AND c.relnamespace <> 'pg_catalog'::regnamespace
      AND (l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
           OR l.mode = 'RowExclusiveLock' AND :writes)
    ORDER BY total DESC NULLS LAST LIMIT 1
    """
)


def may_rewrite(statement: str) -> bool:
    """Whether it is worth knowing, before it runs, how large the database is."""
    return bool(_REWRITES.match(statement))


async def database_size(connection: AsyncConnection) -> int:
    """In bytes, with files that no catalogue shows yet."""
    return int(await connection.scalar(_SIZE) or 0)


async def read_progress(connection: AsyncConnection, pid: int, activity: Activity) -> Progress | None:
    """What the server shows of the backend `pid`, which is busy with the step of `activity`."""
    writes = activity.step.upper().startswith(("UPDATE", "DELETE", "INSERT", "MERGE"))
    given = {"pid": pid, "before": activity.size_before, "writes": writes}
    row = (await connection.execute(_PROGRESS, given)).one_or_none()
    if row is None:
        return None
    return Progress(row.phase, int(row.done), int(row.total or 0), *in_words(row.relation, row.size))


def in_words(relation: str, size: str | None) -> tuple[str, str]:
    """A table and its size; of one that is not committed others see no name and no size, but its number."""
    return ("a new table", "not committed yet") if relation.isdigit() else (relation, size or "size not known")
