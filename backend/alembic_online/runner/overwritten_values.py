"""Values that an UPDATE writes over: `SET note = NULL`, `SET state = 'open'`. What is written there was never read.

An expression may be the way back of what the upgrade did (`price / 100`); whether it loses anything nobody can tell.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.postgres.sql.tokens import Kind, Token

_END = ("WHERE", "FROM", "RETURNING")
_CONSTANTS = {"NULL", "TRUE", "FALSE"}


class Overwritten(NamedTuple):
    """A column of a table, and the rows that hold another value in it, as `FROM ... WHERE ...`."""

    table: str
    column: str
    rows: str


def overwritten(statement: str) -> Iterator[Overwritten]:
    """Every column that gets a constant, by an UPDATE of one table alone."""
    for reader in statements(statement):
        if not reader.accept("UPDATE"):
            continue
        only, table = reader.accept("ONLY"), reader.name()
        found = reader.rest() if reader.accept("SET") else ()  # under another name its columns may be called by that
        ends = [place for place, token in enumerate(found) if token.keyword in _END]
        where = _text(statement, found[ends[0] + 1 :]) if ends and found[ends[0]].keyword == "WHERE" else ""
        if ends and (found[ends[0]].keyword == "FROM" or "RETURNING" in {token.keyword for token in found}):
            continue
        for column, value in _constants(statement, found[: ends[0]] if ends else found):
            differs = f"{column} IS NOT NULL AND {column} IS DISTINCT FROM {value}"
            condition = f"({where}) AND {differs}" if where else differs
            yield Overwritten(table, column, f"FROM {'ONLY ' if only else ''}{table} WHERE {condition}")


def updated(statement: str) -> Iterator[str]:
    """The tables of which it writes over values, as SQL names them."""
    for reader in statements(statement):
        if reader.accept("UPDATE"):
            reader.accept("ONLY")
            yield reader.name()


def _constants(statement: str, found: Sequence[Token]) -> Iterator[tuple[str, str]]:
    for part in Reader(found).split():
        column = part.name()
        if not part.accept("="):
            return
        value = part.rest()
        sign = value[0].text in ("+", "-") if value else False
        first = value[1:2] if sign else value[:1]
        is_cast = len(value) == len(first) + sign or (len(value) > 1 + sign and value[1 + sign].text == "::")
        if first and is_cast and (first[0].kind in (Kind.STRING, Kind.NUMBER) or first[0].keyword in _CONSTANTS):
            yield column, _text(statement, value)


def _text(statement: str, found: Sequence[Token]) -> str:
    return statement[found[0].start : found[-1].start + len(found[-1].text)] if found else ""
