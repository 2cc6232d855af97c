"""Rows in the way of a constraint: found before anything is changed, counted and named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.exc import DBAPIError

from alembic_online.errors import RevisionFailed
from alembic_online.postgres import sqlstate as state
from alembic_online.recipes.names import verbatim
from alembic_online.runtime.row_security import every_row

_SHOWN, _COUNTED = 3, 1000


@dataclass(frozen=True)
class Obstacle:
    """What must not be found."""

    what: str
    """In whose way it is: `the unique index uq_books_title on books`."""
    found: str
    """What it is, in the plural: `rows without a title`."""
    select: str
    """SQL whose rows are in the way, named by its columns. It takes no lock that others notice."""
    remedy: str = "Correct the data, then run the same command again."

    def look(self, connection: Connection, *, outside: bool = False) -> None:
        """Raise `RevisionFailed` with the number of rows and the first of them; `outside` is of a transaction.

        Where a policy hides rows from this role there is nothing to tell: the constraint itself sees all of them.
        """
        try:
            names, rows = self._find(connection, outside)
        except DBAPIError as error:
            if state.sqlstate(error) != state.INSUFFICIENT_PRIVILEGE:
                raise
            return
        if not rows:
            return
        count = f"more than {_COUNTED}" if len(rows) > _COUNTED else str(len(rows))
        first = "; ".join(", ".join(map(str, row)) for row in rows[:_SHOWN])
        raise RevisionFailed(
            f"In the way of {self.what}: {self.found} ({count}).",
            f"By {names}: {first}{'; ...' if len(rows) > _SHOWN else ''}\n{self.remedy}",
        )

    def _find(self, connection: Connection, outside: bool) -> tuple[str, Sequence[Row[Any]]]:
        limited = f"SELECT * FROM ({self.select}) AS in_the_way LIMIT {_COUNTED + 1}"
        with every_row(connection, outside=outside):
            result = connection.execute(verbatim(limited))
            return ", ".join(result.keys()), result.all()
