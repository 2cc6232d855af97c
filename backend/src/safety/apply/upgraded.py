"""What the upgrade did that a downgrade takes back, as far as its file writes it out: it may lose nothing then."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alembic.script import Script

from src.safety.apply.changed_values import changes
from src.safety.apply.written_out import inserts_rows, written_out
from src.safety.online.names import plain


@dataclass(frozen=True)
class Upgraded:
    """Of one revision."""

    conversions: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """By table and column, without schema and quotes: the value that it gave to the column's new type."""
    inserts: bool = False
    """It wrote rows, which the downgrade deletes again."""

    def conversion(self, table: str, column: str) -> str | None:
        """How the column's values became what they are now; None where that is not known."""
        return self.conversions.get((_bare(table), plain(column)))


def upgraded(script: Script) -> Upgraded:
    """Read it from the file."""
    found = (change for statement in written_out(script, "upgrade") for change in changes(statement))
    conversions = {(_bare(change.table), plain(change.column)): change.value for change in found}
    return Upgraded(conversions, inserts_rows(script, "upgrade"))


def _bare(table: str) -> str:
    return plain(table).rpartition(".")[2]
