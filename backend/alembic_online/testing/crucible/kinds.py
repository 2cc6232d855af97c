"""Types of columns: a value for each row, defaults and checks that hold for it, and what people change it to."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Kind:
    """`value` is SQL over `i`, the number of the row; others of the rows are the same as often as `i % 7` is."""

    value: str
    defaults: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    becomes: tuple[str, ...] = ()
    distinct: bool = False
    """Whether `value` differs from row to row."""
    indexes: tuple[str, ...] = ()
    """Expressions to index, `{0}` is the column."""


_TEXT_CHECKS = ("length({0}) < 200", "{0} <> ''")
_LOWER, _MEMBER = ("lower({0})",), ("({0} ->> 'n')",)
_MOMENTS = ("now()", "'2026-01-01 00:00'")
_NIL = "'00000000-0000-0000-0000-000000000000'"
_EARLIER = "timestamp '2026-03-01' + i * interval '1 hour'"
_EARLIER_ZONED = "timestamptz '2026-03-01 00:00+00' + i * interval '1 hour'"
_NOT_NULL_JSON = "jsonb_typeof({0}) <> 'null'"
_SEVENTHS = "(i / 7.0)::numeric(10,2)"  # a client sends what its column held, whatever that is by now
KINDS: Final[dict[str, Kind]] = {
    "smallint": Kind("i % 90", ("0", "'7'::smallint"), ("{0} >= 0",), ("integer", "bigint", "numeric(12,2)", "text")),
    "integer": Kind("i", ("0", "5"), ("{0} >= 0", "{0} < 9999"), ("bigint", "numeric(12,2)", "text", "smallint"), True),
    "bigint": Kind("i * 1000", ("0", "'0'::bigint"), ("{0} >= 0",), ("numeric(20,0)", "text", "integer"), True),
    "numeric(10,2)": Kind(_SEVENTHS, ("0", "1.50"), ("{0} >= 0",), ("numeric(12,4)", "numeric(12,2)", "text"), True),
    "numeric(12,2)": Kind("(i / 3.0)::numeric(12,2)", ("0",), ("{0} >= 0",), ("numeric(14,2)", "numeric(12,1)"), True),
    "double precision": Kind("(i / 4.0)::float8", ("0",), ("{0} > -1",), ("numeric(12,2)", "text"), True),
    "boolean": Kind("i % 3 = 0", ("false", "true"), (), ("text",)),
    "text": Kind("'text ' || i", ("''", "'none'"), _TEXT_CHECKS, ("varchar(80)", "varchar(40)"), True, _LOWER),
    "varchar(20)": Kind("'word ' || i", ("'new'", "'a:b'"), _TEXT_CHECKS, ("varchar(40)", "text"), True, _LOWER),
    "varchar(40)": Kind("'name ' || i", ("'new'",), _TEXT_CHECKS, ("text", "varchar(20)", "varchar(7)"), True, _LOWER),
    "timestamp": Kind(_EARLIER, _MOMENTS, (), ("timestamptz", "date"), True),
    "timestamptz": Kind(_EARLIER_ZONED, _MOMENTS, (), ("timestamp", "date"), True),
    "date": Kind("date '2026-03-01' + i % 60", ("CURRENT_DATE", "'2026-01-01'"), (), ("timestamp", "text")),
    "uuid": Kind("lpad(i::text, 32, '0')::uuid", ("gen_random_uuid()", _NIL), (), ("text", "varchar(40)"), True),
    "json": Kind("json_build_object('n', i)", ("'{{}}'",), (), ("jsonb", "text")),
    "jsonb": Kind("jsonb_build_object('n', i)", ("'[]'",), (_NOT_NULL_JSON,), ("json", "text"), True, _MEMBER),
    "bytea": Kind("decode(lpad(i::text, 6, '0'), 'hex')", ("'\\x00'",), (), (), True),
    "integer[]": Kind("ARRAY[i, i % 3]", ("'{{}}'",), (), ("bigint[]", "text[]"), True),
    "text[]": Kind("ARRAY['t' || i]", ("'{{}}'", "ARRAY['a']"), (), ("varchar(20)[]",), True),
    "interval": Kind("i * interval '1 minute'", ("'1 day'",), (), ("text",), True),
    "inet": Kind("('192.0.2.' || i % 250)::inet", ("'127.0.0.1'",), (), ("text", "cidr")),
    "bit(8)": Kind("(i % 256)::bit(8)", ("B'00000000'",), (), ("bit varying(8)",)),
}  # fmt: skip
_SIZED = re.compile(r"(\w+)\((\d+).*\)")
_BY_SIZE = {
    "varchar": "left('v' || i, {size})",
    "char": "left('c' || i, {size})",
    "numeric": "i % 9",
    "vector": "('[' || repeat('1,', {less}) || i % 9 + 1 || ']')::vector",
    "halfvec": "('[' || repeat('1,', {less}) || i % 9 + 1 || ']')::halfvec",
}
VECTORS: Final[dict[str, Kind]] = {
    "vector(3)": Kind("('[' || i || ',1,2]')::vector(3)", (), (), ("halfvec(3)", "vector"), True),
    "halfvec(3)": Kind("('[' || i || ',1,2]')::halfvec(3)", (), (), ("vector(3)",), True),
}
ALL: Final = {**KINDS, **VECTORS}


def value_of(type_: str, labels: tuple[str, ...]) -> str:
    """SQL for the value of row `i`; an enum's if it has labels, NULL for a type that nobody knows."""
    if labels:
        listed = ", ".join("'" + label.replace("'", "''") + "'" for label in labels)
        return f"((ARRAY[{listed}])[i % {len(labels)} + 1])::{type_}"
    if type_ in ALL:
        return ALL[type_].value.replace("{{", "{").replace("}}", "}")
    if (sized := _SIZED.fullmatch(type_)) and sized[1] in _BY_SIZE:
        return _BY_SIZE[sized[1]].format(size=sized[2], less=int(sized[2]) - 1)
    return f"(SELECT NULL::{type_})"


def is_computed(default: str) -> bool:
    """Whether it may be another value each time."""
    return "(" in default or "CURRENT" in default
