"""One lock of one statement, as far as its text tells."""

from dataclasses import dataclass
from typing import Literal

from alembic_online.postgres.locks.mode import LockMode

Kind = Literal[
    "table",  # `name` itself, as all up to "foreign table"
    "index",
    "view",
    "materialized view",
    "sequence",
    "foreign table",
    "table of index",  # the table that the index `name` belongs to
    "indexes of table",  # every index of `name`
    "referenced tables",  # those that `name`'s foreign keys point to
    "referencing tables",  # those whose foreign keys point to `name`
    "tables truncated with",  # those, and those whose foreign keys point to them in turn
    "default partition",  # that of the partitioned table `name`
    "table above",  # the partitioned table that `name` is a partition of, with its default partition
    "tables of type",  # those that have a column of the type `name`, or are made of it
]


@dataclass(frozen=True, slots=True)
class TableLock:
    """A lock on an existing relation: `name` is as written, with its schema and its quotes.

    From "table of index" on, the kinds are relations that the statement does not name: only the catalogue knows which.
    `part` narrows the foreign keys to the one of that name, or to those of the column of that name.
    """

    name: str
    mode: LockMode
    kind: Kind = "table"
    part: str | None = None
