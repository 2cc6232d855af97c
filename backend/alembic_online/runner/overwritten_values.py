"""Values that an UPDATE writes over: `SET note = NULL`, `SET code = left(code, 10)`.

A value goes where the row gets another one and no column of it keeps the old: `n + 1` and `'x-' || code` do, and so
does the same value in another column.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, repeat
from typing import NamedTuple

from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.postgres.sql.tokens import Kind, Token, text_of
from alembic_online.recipes.names import plain

_SECTIONS = ("FROM", "WHERE", "RETURNING")


class Overwritten(NamedTuple):
    """A column of a table, and the rows that hold a value in it and get another one, as `FROM ... WHERE ...`."""

    table: str
    column: str
    rows: str
    filled: str
    """All rows that hold a value in it, for values that cannot be compared."""


def overwritten(statement: str) -> Iterator[Overwritten]:
    """Every column that an UPDATE writes to, but for those whose old values are kept."""
    for reader in statements(statement):
        begins = reader.rest()[0].start
        named = _after_with(reader)
        if not reader.accept("UPDATE"):
            continue
        only, table = reader.accept("ONLY"), reader.name()
        reader.accept("*")
        reader.accept("AS")
        alias = "" if reader.comes("SET") else reader.name()
        if not reader.accept("SET"):
            continue
        parts = _sections(reader.rest())
        values = list(_assignments(parts[""], statement))
        beside = f", {text_of(parts['FROM'], statement)}" if "FROM" in parts else ""
        rows = f"FROM {'ONLY ' if only else ''}{table}{f' AS {alias}' if alias else ''}{beside} WHERE "
        rows += f"({text_of(parts['WHERE'], statement)}) AND " if "WHERE" in parts else ""
        for each in values:
            if not any(_keeps(each.column, other.tokens) for other in values):
                held = f"{alias or table}.{each.column} IS DISTINCT FROM NULL"
                differs = f"{alias or table}.{each.column} IS DISTINCT FROM ({each.sql})"
                found = [f"{rows}{held} AND {differs}", rows + held]
                if named:
                    found = [f"FROM ({statement[begins:named]} SELECT {query}) AS given" for query in found]
                yield Overwritten(table, each.column, *found)


class _Value(NamedTuple):
    """What a column gets."""

    column: str
    tokens: Sequence[Token]
    sql: str


def _after_with(reader: Reader) -> int:
    """Step over WITH; where it ends in the text, 0 where there is none."""
    if not reader.accept("WITH"):
        return 0
    reader.accept("RECURSIVE")
    while reader.name():
        reader.parentheses()
        reader.accept("AS")
        reader.accept_any("MATERIALIZED", "NOT MATERIALIZED")
        reader.parentheses()
        if not reader.accept(","):
            break
    return 0 if reader.done else reader.rest()[0].start


def updated(statement: str) -> Iterator[str]:
    """The tables of which it writes over values, as SQL names them."""
    for reader in statements(statement):
        _after_with(reader)
        if reader.accept("UPDATE"):
            reader.accept("ONLY")
            yield reader.name()


def _sections(found: Sequence[Token]) -> Mapping[str, Sequence[Token]]:
    """The assignments, as "", and what comes after them, by its first word."""
    begins, depth = [("", 0, 0)], 0
    for place, (before, token) in enumerate(pairwise([*found[:1], *found])):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
        later = _SECTIONS[_SECTIONS.index(begins[-1][0]) + 1 :] if begins[-1][0] else _SECTIONS
        if depth == 0 and token.keyword in later and before.keyword != "DISTINCT":
            begins.append((token.keyword, place, place + 1))
    ends = [place for _, place, _ in begins[1:]] + [len(found)]
    return {word: found[start:end] for (word, _, start), end in zip(begins, ends, strict=True)}


def _assignments(found: Sequence[Token], statement: str) -> Iterator[_Value]:
    """Columns with their values: `a = 1`, `(a, b) = (1, 2)`, `(a, b) = (SELECT ...)`."""
    for part in Reader(found).split():
        columns = [each.name() for each in part.parentheses().split()] if part.comes("(") else [part.name()]
        if not part.accept("="):
            continue
        part.accept("ROW")
        whole = part.rest()
        if len(columns) == 1:
            yield _Value(columns[0], whole, text_of(whole, statement))
            continue
        inside = part.parentheses()
        if inside.comes("SELECT", "WITH", "VALUES", "TABLE"):
            names = [f"value_{number}" for number, _ in enumerate(columns)]
            query = f"FROM {text_of(whole, statement)} AS given ({', '.join(names)})"
            yield from (
                _Value(*each)
                for each in zip(columns, repeat(whole), (f"SELECT {n} {query}" for n in names), strict=False)
            )
        else:
            values = [each.rest() for each in inside.split()]
            if len(values) == len(columns):
                yield from (
                    _Value(one, value, text_of(value, statement)) for one, value in zip(columns, values, strict=True)
                )


def _keeps(column: str, value: Sequence[Token]) -> bool:
    """Whether the old value of `column` can still be told from `value`: it is that, or is added to constants."""
    value = _unwrapped(value)
    if _is_column(value):
        return plain(value[-1].text) == plain(column)
    for separator in ("+", "-", "|"):  # || are two symbols
        parts = [part for each in Reader(value).split(separator) if (part := each.rest())]
        if len(parts) > 1:
            others = [part for part in parts if not _keeps(column, part)]
            return len(others) == len(parts) - 1 and all(map(_is_constant, others))
    return False


def _is_column(value: Sequence[Token]) -> bool:
    return bool(value) and all(token.kind in (Kind.WORD, Kind.QUOTED_NAME) or token.text == "." for token in value)


def _is_constant(value: Sequence[Token]) -> bool:
    return len(value) == 1 and value[0].kind in (Kind.STRING, Kind.NUMBER)


def _unwrapped(value: Sequence[Token]) -> Sequence[Token]:
    """Without the parentheses around all of it."""
    reader = Reader(value)
    inside = reader.parentheses()
    return _unwrapped(inside.rest()) if value[:1] and value[0].text == "(" and reader.done else value
