"""When to hold back: replicas that lag, WAL that somebody has yet to take, dead rows that no VACUUM removes.

What the role may not see holds nothing back: for `pg_stat_replication` and `pg_replication_slots` of others it takes
the grant `pg_monitor`.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.policy import Policy

_MEGABYTE = 1024 * 1024
_FEW = 20_000  # dead rows that are never too many
_READ = text(
    """
    SELECT (SELECT max(extract(epoch FROM replay_lag)) FROM pg_stat_replication) AS lag,
           (SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), lsn)) FROM
               (SELECT replay_lsn AS lsn FROM pg_stat_replication
                UNION ALL SELECT restart_lsn FROM pg_replication_slots WHERE active) AS taken) AS wal,
           n_dead_tup AS dead, n_live_tup AS live
    FROM (SELECT) AS always LEFT JOIN pg_stat_all_tables ON relid = to_regclass(:table)
    """
)


async def pressure(connection: AsyncConnection, table: str, policy: Policy) -> str | None:
    """What should get better before the next batch, in words; None if nothing."""
    row = (await connection.execute(_READ, {"table": table})).one()
    if row.lag is not None and row.lag > policy.backfill_replica_lag_seconds:
        return f"a replica is {row.lag:.0f} s behind"
    if row.wal is not None and row.wal > policy.backfill_wal_megabytes * _MEGABYTE:
        return f"replicas have yet to take {row.wal / _MEGABYTE:.0f} MB of WAL"
    return None


async def too_many_dead(connection: AsyncConnection, table: str, policy: Policy) -> bool:
    """Whether VACUUM should run, or has not helped: an old transaction keeps it from removing dead rows."""
    row = (await connection.execute(_READ, {"table": table})).one()
    return (row.dead or 0) > max(_FEW, policy.backfill_dead_row_ratio * (row.live or 0))
