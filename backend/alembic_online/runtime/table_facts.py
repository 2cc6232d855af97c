"""A table as the catalogue shows it: how large it is decides how it is changed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TableFacts:
    """A table as the catalogue shows it; partitions and children are counted with it."""

    name: str
    partitioned: bool
    temporary: bool
    bytes: int
    """With TOAST, without indexes."""
    heap_bytes: int
    """Of the rows alone; 0 means that it has none."""
    rows: int | None
    """As the last VACUUM or ANALYZE counted them; None if there was none."""
