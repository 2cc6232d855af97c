"""A rehearsal in which every table counts as large, so that each operation goes the way that it would go there."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from alembic_online.review.plan.trace import Trace
from alembic_online.revisions.source_line import line_of
from alembic_online.runtime.rehearsal import NextStatement
from alembic_online.runtime.table_facts import TableFacts

ROWS = 100_000_000
BYTES = 10_000_000_000


@dataclass
class LargeTables(Trace):
    """Sees what is `asked` about, whose tables are large; nobody asks about what only leads there."""

    asked: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._line = 0

    def facts(self, there: TableFacts) -> TableFacts:
        return as_large(there) if self.asked else there

    def before(self, connection: Connection, coming: NextStatement) -> None:
        if self.asked:
            self._line = coming.line.lineno or 0 if coming.line else line_of(coming.revision)
            super().before(connection, coming)

    def after(self, connection: Connection) -> None:
        known = len(self.statements)
        super().after(connection)
        self.statements[known:] = [replace(each, line=self._line) for each in self.statements[known:]]


def as_large(there: TableFacts) -> TableFacts:
    """The table as if it held `ROWS` rows in `BYTES` bytes."""
    return replace(there, rows=ROWS, bytes=BYTES, heap_bytes=BYTES)
