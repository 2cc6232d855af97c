"""Partitions that are half detached: DETACH ... CONCURRENTLY was interrupted between its two transactions, or runs now.

Such a partition is neither in nor out. Whoever changes the table meanwhile makes FINALIZE impossible on PostgreSQL 18
("could not convert row type", "unmatched constraints"), and its bound cannot be copied or compared.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

from alembic_online.errors import DatabaseMismatch
from alembic_online.postgres.locks.reader import statements

# With the tables above, whose changes reach it, or would have to.
_PENDING = text(
    """
    WITH RECURSIVE pending AS (
        SELECT inhrelid AS part, inhparent AS parent, inhparent AS above FROM pg_inherits WHERE inhdetachpending
        UNION SELECT part, parent, inhparent FROM pending JOIN pg_inherits ON inhrelid = above
    )
    SELECT format('partition %s of %s', part::regclass, parent::regclass) AS words,
           format('ALTER TABLE %s DETACH PARTITION %s FINALIZE', parent::regclass, part::regclass) AS finalize,
           array_agg(above::regclass::text) || part::regclass::text AS tables
    FROM pending GROUP BY part, parent ORDER BY 1
    """
)
_AS_PRINTED = text("SELECT to_regclass(:name)::text")
_HARMFUL = (
    "ALTER",
    "LOCK",
)  # what only fills, empties or drops it, or makes others beside it, leaves FINALIZE possible


@dataclass(frozen=True)
class PendingDetach:
    """One of them."""

    words: str
    finalize: str
    """The statement that ends it."""
    tables: list[str]
    """It and all above it, as SQL writes them."""


def pending_detaches(connection: Connection) -> list[PendingDetach]:
    """All of the database."""
    return [PendingDetach(row.words, row.finalize, row.tables) for row in connection.execute(_PENDING)]


def refuse_pending_detach(connection: Connection, what: str = "compared or copied") -> None:
    """Raise `DatabaseMismatch` if there is one."""
    _refuse(pending_detaches(connection), what)


def refuse_to_change(connection: Connection, statement: str, tables: Collection[str]) -> None:
    """Raise `DatabaseMismatch` where `statement`, which locks `tables` strongly, would change one that has such.

    Of several statements, an earlier one may drop the partition.
    """
    dropped: set[str] = set()
    for reader in statements(statement):
        if reader.accept("DROP TABLE"):
            reader.accept("IF EXISTS")
            dropped |= {str(connection.scalar(_AS_PRINTED, {"name": name})) for name in reader.names()}
        elif reader.accept_any(*_HARMFUL):
            found = [each for each in pending_detaches(connection) if not set(each.tables).isdisjoint(tables)]
            _refuse([each for each in found if each.tables[-1] not in dropped], "changed")


def _refuse(found: list[PendingDetach], what: str) -> None:
    if found:
        raise DatabaseMismatch(
            f"DETACH CONCURRENTLY runs now or was interrupted: {'; '.join(each.words for each in found)}. Until it is"
            f" done the table cannot be {what} safely.",
            f"When nobody runs it: {'; '.join(each.finalize for each in found)}\nThen run the same command again.",
        )
