"""The tables that foreign keys in a definition point to."""

from collections.abc import Iterator

from src.postgres.lock_modes.mode import LockMode
from src.postgres.lock_modes.reader import Reader
from src.postgres.lock_modes.table_lock import TableLock


def references(reader: Reader, *, without: str) -> Iterator[TableLock]:
    """A lock for each table after REFERENCES but the one that is being defined."""
    while reader.skip_to("REFERENCES"):
        if (name := reader.name()) != without:
            yield TableLock(name, LockMode.SHARE_ROW_EXCLUSIVE)
