"""Columns of the same table whose swap waits for the cut-over, and comes before that of the next one.

    ALTER TABLE t ALTER a TYPE bigint; ALTER TABLE t ALTER b TYPE bigint   -- with an index on (a, b)

For `a` the index is made over the new `a` and the old `b`. That for `b` takes its place: over both new columns, and
under one more name of its own.

    ALTER TABLE t DROP CONSTRAINT u, ADD CONSTRAINT u UNIQUE (a, b); ALTER TABLE t ALTER a TYPE bigint

Of the key that goes there is a copy too, under a name of its own: the one that takes its place is built already.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from alembic_online.postgres.sql.tokens import Token, tokens
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import quoted, temporary
from alembic_online.recipes.shadow_column.column import OldColumn

_NUMBERS = """
    WITH RECURSIVE family AS (
        SELECT to_regclass(:table)::oid AS oid UNION SELECT inhrelid FROM pg_inherits JOIN family ON inhparent = oid
    )
    SELECT attrelid, attnum FROM pg_attribute JOIN family ON attrelid = oid WHERE attname = ANY (:columns)
"""


class Exchanged:
    """Those of the table of `column`. A `row` says what hangs on it, and all `columns` that this hangs on."""

    def __init__(self, database: Database, column: OldColumn) -> None:
        self._cut_over = database.cut_over
        self._columns = database.cut_over.exchanged(column.table)

    def is_new(self, row: Row[Any]) -> bool:
        """Whether it is made for one of them, and the old one of its name is there too."""
        return any(temporary(each) in row.columns for each in self._columns)

    def made(self, row: Row[Any], name: str) -> str:
        """What the new one is called until the swap."""
        name = f"{name}__old" if self._cut_over.has_built(temporary(name)) else name
        for _ in self._of(row):
            name = temporary(name)
        return temporary(name)

    def written(self, row: Row[Any]) -> str:
        """Its `rest` over their new columns."""
        rest = str(row.rest)
        for each in self._of(row):
            rest = with_column(rest, quoted(each), quoted(temporary(each)))
        return rest

    def _of(self, row: Row[Any]) -> list[str]:
        return [each for each in self._columns if each in row.columns]


def exchanged_numbers(database: Database, table: str) -> str:
    """By relation and attribute, in SQL, the old and the new of them in `table` and what is below it; "" for none."""
    names = database.cut_over.exchanged(table)
    columns = [*names, *map(temporary, names)]
    found = database.ask(_NUMBERS, table=table, columns=columns) if names else ()
    return ", ".join(f"({row.attrelid}, {row.attnum})" for row in found)


def with_column(sql: str, old: str, new: str) -> str:
    """`sql` as PostgreSQL prints an expression, with `new` for the column `old`; both as SQL writes them."""
    found = list(tokens(sql))
    parts, end = [], 0
    for at, token in enumerate(found):
        if token.text == old and _is_column(found, at):
            parts += [sql[end : token.start], new]
            end = token.start + len(token.text)
    return "".join([*parts, sql[end:]])


def _is_column(found: Sequence[Token], at: int) -> bool:
    """Not a function, a type, a table or a schema of the same name."""
    before = found[at - 1] if at else None
    after = found[at + 1].text if at + 1 < len(found) else ""
    is_other = before is not None and (
        before.text in (".", "::") or before.keyword in ("COLLATE", "FROM", "REFERENCES")
    )
    return not is_other and after not in ("(", ".")
