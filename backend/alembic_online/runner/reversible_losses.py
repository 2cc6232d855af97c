"""How a downgrade may lose nothing of what it takes away, as far as the revision's file writes it out.

The upgrade says how values and rows came to be what they are, the downgrade which columns it computes again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from alembic.script import Script

from alembic_online.postgres.locks.reader import statements
from alembic_online.postgres.sql.tokens import text_of
from alembic_online.recipes.names import plain
from alembic_online.runner.lossy_casts import changes
from alembic_online.runner.overwritten_values import updated
from alembic_online.runner.source_sql import inserts_rows, written_out


@dataclass(frozen=True)
class WaysBack:
    """Of one revision. Tables and columns are without schema and quotes."""

    conversions: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The value that the upgrade gave to a column's new type."""
    inserts: bool = False
    """The upgrade wrote rows, which the downgrade deletes again."""
    computed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The value that a column has when the downgrade has made it again as a generated one."""

    repeated: bool = False
    """The upgrade makes again what goes: a column that holds nothing but its constant default comes back as it was."""
    updates: frozenset[str] = frozenset()
    """The tables of which the upgrade wrote over values: the downgrade may know what they were."""

    def writes_over(self, table: str) -> bool:
        """Whether the upgrade has changed rows of the table, or inserted some."""
        return self.inserts or _bare(table) in self.updates

    def conversion(self, table: str, column: str) -> str | None:
        """How the column's values became what they are now; None where that is not known."""
        return self.conversions.get((_bare(table), plain(column)))

    def computation(self, table: str, column: str) -> str | None:
        """What will stand in the column's place; None where that is not known."""
        return self.computed.get((_bare(table), plain(column)))


def ways_back(script: Script) -> WaysBack:
    """Read them from the file."""
    upgrade = written_out(script, "upgrade")
    found = (change for statement in upgrade for change in changes(statement))
    conversions = {(_bare(change.table), plain(change.column)): change.value for change in found}
    computed = {name: value for each in written_out(script, "downgrade") for name, value in _computed(each)}
    updates = frozenset(_bare(table) for statement in upgrade for table in updated(statement))
    return WaysBack(conversions, inserts_rows(script, "upgrade"), computed, True, updates)


def _computed(statement: str) -> Iterator[tuple[tuple[str, str], str]]:
    """Every ADD COLUMN ... GENERATED ALWAYS AS (expression)."""
    for reader in statements(statement):
        if reader.accept("ALTER TABLE"):
            reader.accept("IF EXISTS")
            table = "".join(reader.names()[:1])
            for action in reader.split():
                if action.accept("ADD COLUMN") or action.accept("ADD"):
                    action.accept("IF NOT EXISTS")
                    column, rest = action.name(), action.rest()
                    if rest and action.skip_to("GENERATED ALWAYS AS"):
                        end, inside = action.rest()[0].start, action.parentheses().rest()
                        kind = statement[rest[0].start : end].rpartition("GENERATED")[0].partition("COLLATE")[0]
                        value = text_of(inside, statement)
                        yield (_bare(table), plain(column)), f"CAST(({value}) AS {kind})"


def _bare(table: str) -> str:
    return plain(table).rpartition(".")[2]
