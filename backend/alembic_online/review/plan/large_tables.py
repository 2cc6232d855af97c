"""A rehearsal in which every table counts as large, so that each operation goes the way that it would go there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from alembic_online.review.plan.trace import Trace
from alembic_online.revisions.source_line import line_of
from alembic_online.runtime.rehearsal import NextStatement
from alembic_online.runtime.table_facts import TableFacts

ROWS = 100_000_000
BYTES = 10_000_000_000


@dataclass(frozen=True)
class Sizes:
    """How large each table counts as: those that somebody knows as they are, any other as `ROWS` rows in `BYTES`."""

    known: Mapping[str, int] = field(default_factory=dict)
    """In bytes, by the name that SQL gives the table."""

    def bytes_of(self, table: str) -> int:
        """By its name, or by that without a schema."""
        return self.known.get(table, self.known.get(table.rpartition(".")[2], BYTES))

    def of(self, there: TableFacts) -> TableFacts:
        """The table as if it were so large, with rows as long as those of the others."""
        size = self.bytes_of(there.name)
        return replace(there, rows=size * ROWS // BYTES, bytes=size, heap_bytes=size)


@dataclass
class LargeTables(Trace):
    """Sees what is `asked` about, whose tables are large; nobody asks about what only leads there."""

    asked: bool = False
    sizes: Sizes = field(default_factory=Sizes)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._line = 0

    def facts(self, there: TableFacts) -> TableFacts:
        return self.sizes.of(there) if self.asked else there

    def before(self, connection: Connection, coming: NextStatement) -> None:
        if self.asked:
            self._line = coming.line.lineno or 0 if coming.line else line_of(coming.revision)
            super().before(connection, coming)

    def after(self, connection: Connection) -> None:
        known = len(self.statements)
        super().after(connection)
        self.statements[known:] = [replace(each, line=self._line) for each in self.statements[known:]]
