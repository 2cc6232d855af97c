"""A definition together with what the catalogue says of its table, as the parts of the batch's statements."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from alembic_online.backfill.definition import Backfill, Function, verbatim
from alembic_online.backfill.keyset import Key

# As REFRESH MATERIALIZED VIEW CONCURRENTLY compares (manual, 9.25.6): like IS DISTINCT FROM, and also for types without
# an equality (json, point) and for values that are equal and not the same ('A' and 'a' as citext).
DISTINCT = "OPERATOR(pg_catalog.*<>)"


def record(values: str) -> str:
    """`values` as one; the cast keeps PostgreSQL from comparing them column by column, for which there is no `*<>`."""
    return f"CAST(ROW({values}) AS record)"


@dataclass(frozen=True)
class Work:
    """Every part is as text() takes it: with its colons hidden."""

    definition: Backfill
    key: Key
    types: Mapping[str, str]
    quoted: Mapping[str, str]
    """Column to its name as SQL writes it."""

    @cached_property
    def function(self) -> Function | None:
        return self.definition.loaded_function()

    @property
    def needed(self) -> str:
        """The condition for a row that needs it, as far as the definition says."""
        return f"({verbatim(self.definition.where)})" if self.definition.where else "true"

    @property
    def assignments(self) -> str:
        return ", ".join(f"{self.name(column)} = ({verbatim(sql)})" for column, sql in self.definition.values.items())

    @property
    def copying(self) -> str:
        """INSERT INTO another table, up to its FROM."""
        names = ", ".join(map(self.name, self.definition.values))
        values = ", ".join(map(verbatim, self.definition.values.values()))
        into = f"INSERT INTO {verbatim(self.definition.into)} ({names}) OVERRIDING SYSTEM VALUE"
        return f"{into} SELECT {values} FROM {self.table}"

    @property
    def differs(self) -> str:
        """The condition for a row whose values are not yet what they will be."""
        values = self.definition.values
        if self.definition.asked_once:
            return "true"
        new = ", ".join(f"CAST(({verbatim(sql)}) AS {verbatim(self.types[column])})" for column, sql in values.items())
        return f"{record(', '.join(map(self.name, values)))} {DISTINCT} {record(new)}"

    @property
    def table(self) -> str:
        return verbatim(self.definition.table)

    def name(self, column: str) -> str:
        """A column as text() takes it."""
        return verbatim(self.quoted[column])
