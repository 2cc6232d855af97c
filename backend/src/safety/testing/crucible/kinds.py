"""Types of columns: a value for each row, defaults and checks that hold for it, and what people change it to."""

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
_TEXT_INDEXES = ("lower({0})",)
KINDS: Final[dict[str, Kind]] = {
    "smallint": Kind("i % 90", ("0", "'7'::smallint"), ("{0} >= 0",), ("integer", "bigint", "numeric(12,2)", "text")),
    "integer": Kind("i", ("0", "5"), ("{0} >= 0", "{0} BETWEEN -5 AND 100000"), ("bigint", "numeric(12,2)", "text", "smallint"), True),
    "bigint": Kind("i * 1000", ("0", "'0'::bigint"), ("{0} >= 0",), ("numeric(20,0)", "text", "integer"), True),
    "numeric(10,2)": Kind("i / 7.0", ("0", "1.50"), ("{0} >= 0",), ("numeric(12,4)", "numeric(12,2)", "numeric(10,1)", "text"), True),
    "numeric(12,2)": Kind("i / 3.0", ("0",), ("{0} >= 0",), ("numeric(14,2)", "numeric(12,1)"), True),
    "double precision": Kind("i / 4.0", ("0",), ("{0} > -1",), ("numeric(12,2)", "text"), True),
    "boolean": Kind("i % 3 = 0", ("false", "true"), (), ("text",)),
    "text": Kind("'text ' || i", ("''", "'none'"), _TEXT_CHECKS, ("varchar(80)", "varchar(40)"), True, _TEXT_INDEXES),
    "varchar(20)": Kind("'word ' || i", ("'new'", "'a:b'"), _TEXT_CHECKS, ("varchar(40)", "text", "varchar(8)"), True, _TEXT_INDEXES),
    "varchar(40)": Kind("'name ' || i", ("'new'",), _TEXT_CHECKS, ("text", "varchar(20)"), True, _TEXT_INDEXES),
    "timestamp": Kind("timestamp '2026-03-01' + i * interval '1 hour'", ("now()", "'2026-01-01 00:00'"), (), ("timestamptz", "date"), True),
    "timestamptz": Kind("timestamptz '2026-03-01 00:00+00' + i * interval '1 hour'", ("now()", "CURRENT_TIMESTAMP"), (), ("timestamp", "date"), True),
    "date": Kind("date '2026-03-01' + i % 60", ("CURRENT_DATE", "'2026-01-01'"), (), ("timestamp", "timestamptz", "text")),
    "uuid": Kind("lpad(i::text, 32, '0')::uuid", ("gen_random_uuid()", "'00000000-0000-0000-0000-000000000000'"), (), ("text", "varchar(40)"), True),
    "json": Kind("json_build_object('n', i)", ("'{{}}'",), (), ("jsonb", "text")),
    "jsonb": Kind("jsonb_build_object('n', i)", ("'{{}}'", "'[]'"), ("jsonb_typeof({0}) <> 'null'",), ("json", "text"), True, ("({0} ->> 'n')",)),
    "bytea": Kind("decode(lpad(i::text, 6, '0'), 'hex')", ("'\\x00'",), (), (), True),
    "integer[]": Kind("ARRAY[i, i % 3]", ("'{{}}'",), (), ("bigint[]", "text[]"), True),
    "text[]": Kind("ARRAY['t' || i]", ("'{{}}'", "ARRAY['a']"), (), ("varchar(20)[]",), True),
    "interval": Kind("i * interval '1 minute'", ("'1 day'",), (), ("text",), True),
    "inet": Kind("('192.0.2.' || i % 250)::inet", ("'127.0.0.1'",), (), ("text", "cidr")),
    "bit(8)": Kind("(i % 256)::bit(8)", ("B'00000000'",), (), ("bit varying(8)",)),
}  # fmt: skip
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
    return f"(SELECT NULL::{type_})"
