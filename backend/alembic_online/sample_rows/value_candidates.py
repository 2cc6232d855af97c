"""Values to try for a column: by its type, and out of the literals of the checks that look at it."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal

from alembic_online.sample_rows.tables import Column, Table

_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_NUMBER = re.compile(r"(?<![\w.'])-?\d+(?:\.\d+)?")
_SHAPES = (
    "a{n}", "a{n}@example.org", "https://example.org/{n}", "A{n}", "{n}", "en", "EN", "a", "A", "", "+49301234{n:03d}",
    "#a0b{n:03d}", "00000000-0000-4000-8000-{n:012d}", "1.0.{n}", "{{}}", "a-{n}", "a" * 16 + "{n}", "a" * 60 + "{n}",
)  # fmt: skip
_BY_NAME = {
    "uuid": "00000000-0000-4000-8000-{n:012d}",
    "bytea": "\\x{n:04x}",
    "jsonb": '{{"a": {n}}}',
    "json": '{{"a": {n}}}',
    "tsvector": "a{n}",
    "tsquery": "a{n}",
    "xml": "<a>{n}</a>",
    "hstore": "a=>{n}",
    "ltree": "a{n}",
    "citext": "a{n}",
    "macaddr": "08:00:2b:01:02:{n:02x}",
    "pg_lsn": "0/{n:x}",
}
_BY_CATEGORY = {
    "D": ("2001-02-03 00:00:{n:02d}", "2101-02-03 04:05:06", "12:00:{n:02d}"),
    "T": ("{n} seconds", "0"),
    "I": ("192.0.2.{n}",),
    "B": ("true", "false"),
    "R": ("empty", "[{n},{m})", "[2001-01-01,2001-01-0{m})"),
    "G": ("(1,{n})", "((1,1),(2,{n}))", "<(1,1),{n}>"),
}
_MOST = 40


def candidates(column: Column, table: Table, number: int, hints: Sequence[str] = ()) -> list[str]:
    """Texts that may be cast to the column's type, the likeliest first; `number` makes them unlike other rows'."""
    looked_at = [each.definition for each in table.constraints if each.type == "c" and column.name in each.columns]
    literals = list(_literals(" ".join([*looked_at, column.domain_check]), column.category == "N"))
    return list(dict.fromkeys([*hints, *_by_type(column, number, literals)]))[:_MOST]


def _by_type(column: Column, n: int, literals: list[str]) -> Iterator[str]:
    base = column.type.split("(")[0]
    if column.labels:
        yield from (column.labels[n % len(column.labels)], *column.labels)
    elif base in ("vector", "halfvec", "sparsevec", "bit", "bit varying"):
        yield _by_length(base, column.type, n)
    elif column.category == "A" and column.element:
        yield from ("{" + f'"{each}"' + "}" for each in _of_element(column, n))
        yield from ("{}", *(f"{{{literal}}}" for literal in literals))
    elif base in _BY_NAME:
        yield from (_BY_NAME[base].format(n=n), *literals, "{}", "[]", '"a"')
    elif column.category == "N":
        yield from (str(n), *literals, "0", "1", "-1", "0.5", "100")
    elif column.category == "C":
        yield "(" + ")"
    else:
        shapes = _BY_CATEGORY.get(column.category, _SHAPES)
        yield shapes[0].format(n=n % 60, m=n % 8 + 1) if shapes is not _SHAPES else shapes[0].format(n=n)
        yield from literals
        yield from (shape.format(n=n % 60, m=n % 8 + 1) for shape in shapes[1:])


def _of_element(column: Column, n: int) -> Iterator[str]:
    text = column.element in ("text", "character varying", "citext", "character")
    yield f"a{n}" if text else _BY_NAME.get(column.element, "{n}").format(n=n).replace('"', '\\"')
    yield from ("true", "2001-02-03")


def _by_length(base: str, type_: str, n: int) -> str:
    length = int((re.search(r"\((\d+)\)", type_) or [0, 1 if base.startswith("bit") else 3])[1])
    if base.startswith("bit"):
        return f"{n % 2**length:0{length}b}"
    if base == "sparsevec":
        return f"{{{n % length + 1}:1}}/{length}"
    return "[" + ",".join("1" if place in (n % length, 0) else "0" for place in range(length)) + "]"


def _literals(definitions: str, numeric: bool) -> Iterator[str]:
    """The literals; of numbers also their neighbours, for a limit may be excluded."""
    quoted = [found.replace("''", "'") for found in _LITERAL.findall(definitions)]
    numbers = _NUMBER.findall(_LITERAL.sub("", definitions))
    for literal in [*quoted, *numbers]:
        yield literal
        if numeric:
            with suppress(ArithmeticError):  # 'abc' in the check of a number is no number
                yield from (str(Decimal(literal) + 1), str(Decimal(literal) - 1))
    if not numeric:  # lengths: char_length(a) >= 20
        yield from ("a" * int(number) for number in numbers if number.isdigit() and 0 < int(number) <= 5000)
