"""Whether a try of a revision is alone: then it runs as with plain Alembic, in one transaction with its stamp.

All that an online revision does besides is for others: to wait for their locks, to let go of ours, to commit in the
middle, and so to keep a journal. Nobody needs it where nobody else is connected to the database and each table takes
but an instant to change: CI, a new database, a test. Whoever comes in the middle waits that instant. Whatever is not
as expected (a lock that is held, an error, a revision that commits) ends the try: it is rolled back whole, and made
again with all safeguards, which know better what to do and say.
"""

from sqlalchemy import ColumnElement, literal_column

from alembic_online.policy import Policy


def nobody_notices(own_pid: int, policy: Policy) -> ColumnElement[bool]:
    """Asked by one of the two sessions of a migration; `own_pid` is the other.

    False too where a prepared transaction or a partition that is half detached may hold something up. What a role may
    not see of other sessions is neither their database nor that they are there (PostgreSQL 15 to 18).
    """
    return literal_column(f"""
    CASE
      WHEN EXISTS (SELECT FROM pg_stat_get_activity(NULL) a JOIN pg_database d ON d.oid = a.datid
                   WHERE d.datname = current_database() AND a.pid NOT IN (pg_backend_pid(), {own_pid}))
        OR EXISTS (SELECT FROM pg_prepared_xacts WHERE database = current_database())
        OR EXISTS (SELECT FROM pg_inherits WHERE inhdetachpending) THEN false
      ELSE NOT EXISTS (
        SELECT FROM pg_class WHERE relkind IN ('r', 'm') AND oid >= 16384
        GROUP BY coalesce(pg_partition_root(oid), oid)
        HAVING sum(pg_relation_size(oid)) > 0 AND sum(pg_table_size(oid)) >= {int(policy.small_table_bytes)})
    END""").label("alone")
