"""Rows in the way of a constraint: found before anything is changed, counted and named."""

from dataclasses import dataclass

from sqlalchemy import Connection

from src.safety.errors import RevisionFailed
from src.safety.online.names import verbatim

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

    def look(self, connection: Connection) -> None:
        """Raise `RevisionFailed` with the number of rows and the first of them."""
        limited = f"SELECT * FROM ({self.select}) AS in_the_way LIMIT {_COUNTED + 1}"
        result = connection.execute(verbatim(limited))
        names = ", ".join(result.keys())
        if not (rows := result.all()):
            return
        count = f"more than {_COUNTED}" if len(rows) > _COUNTED else str(len(rows))
        first = "; ".join(", ".join(map(str, row)) for row in rows[:_SHOWN])
        raise RevisionFailed(
            f"In the way of {self.what}: {self.found} ({count}); nothing of this was changed.",
            f"By {names}: {first}{'; ...' if len(rows) > _SHOWN else ''}\n{self.remedy}",
        )
