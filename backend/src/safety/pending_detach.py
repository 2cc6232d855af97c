"""Partitions that are half detached: DETACH ... CONCURRENTLY was interrupted between its two transactions, or runs now.

Such a partition is neither in nor out. Whoever changes the table meanwhile makes FINALIZE impossible on PostgreSQL 18
("could not convert row type", "unmatched constraints"), and its bound cannot be copied or compared.
"""

from sqlalchemy import Connection, text

from src.safety.errors import DatabaseMismatch

_PENDING = text(
    """
    SELECT format('partition %s of %s', inhrelid::regclass, inhparent::regclass) AS words,
           format('ALTER TABLE %s DETACH PARTITION %s FINALIZE', inhparent::regclass, inhrelid::regclass) AS finalize
    FROM pg_inherits WHERE inhdetachpending ORDER BY 1
    """
)


def pending_detaches(connection: Connection) -> dict[str, str]:
    """Each in words, with the statement that ends it."""
    return {str(row.words): str(row.finalize) for row in connection.execute(_PENDING)}


def refuse_pending_detach(connection: Connection) -> None:
    """Raise `DatabaseMismatch` if there is one."""
    if found := pending_detaches(connection):
        raise DatabaseMismatch(
            f"DETACH CONCURRENTLY runs now or was interrupted: {'; '.join(found)}. Until it is done nothing can be"
            " compared or changed safely.",
            f"When nobody runs it: {'; '.join(found.values())}\nThen run the same command again.",
        )
