"""Statements of the upgrade that change rows of tables that were there before."""

from collections.abc import Iterator
from dataclasses import dataclass

from alembic_online.postgres.locks.reader import statements
from alembic_online.recipes.names import plain
from alembic_online.review.lint.executed_revision import Trial

_VERBS = ("UPDATE", "DELETE FROM", "INSERT INTO", "MERGE INTO", "COPY", "TRUNCATE TABLE", "TRUNCATE")


@dataclass(frozen=True)
class DataChange:
    """One of them."""

    verb: str
    table: str
    sql: str
    """Its beginning, on one line."""
    bounded: bool
    """It has a WHERE."""
    line: int = 1
    """Where it was written."""
    column: str = ""
    """The first one that an UPDATE sets."""
    fills: bool = False
    """It gives a value to those rows alone that have none in that column."""


def data_changes(trial: Trial) -> Iterator[DataChange]:
    """All of them, in order."""
    tables = {plain(name) for name in trial.tables}
    for traced in trial.upgrade:
        for reader in statements(traced.sql):
            verb = reader.accept_any(*_VERBS)
            reader.accept("ONLY")
            table = reader.name() if verb else ""
            if verb and plain(table) in tables:
                sql = " ".join(traced.sql.split())[:100]
                bounded = reader.has("WHERE")
                column = reader.name() if verb == "UPDATE" and reader.skip_to("SET") else ""
                reader.skip_to("WHERE")
                fills = bool(column) and reader.name() == column and reader.accept("IS NULL") and reader.done
                yield DataChange(verb.removesuffix(" TABLE"), table, sql, bounded, traced.line or 1, column, fills)
