"""The tables that foreign keys in a definition point to."""

from collections.abc import Iterator

from alembic_online.postgres.locks.mode import LockMode
from alembic_online.postgres.locks.reader import Reader
from alembic_online.postgres.locks.table_lock import TableLock


def references(reader: Reader, *, without: str) -> Iterator[TableLock]:
    """A lock for each table after REFERENCES but the one that is being defined."""
    while reader.skip_to("REFERENCES"):
        if (name := reader.name()) != without:
            yield TableLock(name, LockMode.SHARE_ROW_EXCLUSIVE)
