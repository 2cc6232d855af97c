"""A column of another type: the rows that exist are converted, and the way down brings them back."""

from typing import NamedTuple

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from alembic_online.autogenerate.context import Context, Schema
from alembic_online.autogenerate.diff import plan
from tests.alembic_online.autogenerate.case import equal, read, run
from tests.alembic_online.autogenerate.state import by_sql

MADE_BEFORE = """
CREATE EXTENSION vector;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TYPE state AS ENUM ('bad', 'good', 'so so');
CREATE DOMAIN slug AS varchar(10);
CREATE TYPE pair AS (a int, b text);
CREATE FUNCTION cents(money) RETURNS int LANGUAGE sql AS 'SELECT ($1::numeric * 100)::int';
CREATE CAST (money AS int) WITH FUNCTION cents(money);
"""


class Conversion(NamedTuple):
    """`value`, an SQL literal of the type `before`, is printed as `converted` in the type `after`."""

    before: str
    after: str
    value: str
    converted: str
    back: str | None = None
    """How it is printed after the way down, where that is not what it was."""


CONVERSIONS = [
    Conversion("varchar(5)", "varchar(50)", "abc", "abc"),
    Conversion("varchar(5)", "text", "abc", "abc"),
    Conversion("text", "varchar", "abc", "abc"),
    Conversion("char(5)", "text", "abc", "abc"),
    Conversion("text", "slug", "abc", "abc"),
    Conversion("integer", "bigint", "7", "7"),
    Conversion("bigint", "smallint", "7", "7"),
    Conversion("integer", "numeric(8,2)", "7", "7.00"),
    Conversion("numeric(8,2)", "integer", "7.51", "8", back="8.00"),
    Conversion("double precision", "real", "1.5", "1.5"),
    Conversion("integer", "text", "7", "7"),
    Conversion("text", "integer", "7", "7"),
    Conversion("varchar(9)", "numeric(8,2)", "7.10", "7.10"),
    Conversion("integer", "boolean", "1", "true"),
    Conversion("bigint", "boolean", "1", "true"),
    Conversion("smallint", "boolean", "0", "false"),
    Conversion("boolean", "text", "true", "true"),
    Conversion("text", "boolean", "true", "true"),
    Conversion("text", "uuid", "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"),
    Conversion("text", "date", "2026-01-02", "2026-01-02"),
    Conversion("date", "timestamp", "2026-01-02", "2026-01-02 00:00:00"),
    Conversion("timestamp", "timestamptz", "2026-01-02 03:04:05", "2026-01-02 03:04:05+00"),
    Conversion("timestamptz", "timestamptz(0)", "2026-01-02 03:04:05+00", "2026-01-02 03:04:05+00"),
    Conversion("timestamptz", "date", "2026-01-02 03:04:05+00", "2026-01-02", back="2026-01-02 00:00:00+00"),
    Conversion("bigint", "timestamptz", "86400", "1970-01-02 00:00:00+00"),
    Conversion("integer", "timestamp", "86400", "1970-01-02 00:00:00"),
    Conversion("integer", "interval", "90", "00:01:30"),
    Conversion("interval", "interval day to second(0)", "1 day 02:03:04", "1 day 02:03:04"),
    Conversion("time", "interval", "02:03:04", "02:03:04"),
    Conversion("text", "json", '{"a": 1}', '{"a": 1}'),
    Conversion("json", "jsonb", '{"a": 1}', '{"a": 1}'),
    Conversion("text", "jsonb", '{"a": 1}', '{"a": 1}'),
    Conversion("integer", "jsonb", "7", "7"),
    Conversion("jsonb", "boolean", "true", "true"),
    Conversion("text[]", "jsonb", '{a,"b c",NULL}', '["a", "b c", null]', back='{a,"b c",NULL}'),
    Conversion("jsonb", "text[]", '["a", "b\\"c"]', '{a,"b\\"c"}'),
    Conversion("integer[]", "json", "{1,2}", "[1,2]"),
    Conversion("text", "text[]", "a,b", "{a,b}"),
    Conversion("text[]", "text", '{a,"b c"}', "a,b c"),
    Conversion("varchar(9)", "integer[]", "1,2", "{1,2}"),
    Conversion("integer", "integer[]", "7", "{7}"),
    Conversion("integer[]", "integer", "{7,8}", "7", back="{7}"),
    Conversion("integer[]", "bigint[]", "{7,8}", "{7,8}"),
    Conversion("text[]", "integer[]", "{7,8}", "{7,8}"),
    Conversion("text", "mood", "good", "good"),
    Conversion("varchar(9)", "mood", "good", "good"),
    Conversion("mood", "state", "good", "good"),
    Conversion("text[]", "mood[]", "{good,bad}", "{good,bad}"),
    Conversion("mood[]", "state[]", "{good,bad}", "{good,bad}"),
    Conversion("mood", "varchar(9)", "good", "good"),
    Conversion("mood", "mood[]", "good", "{good}"),
    Conversion("text", "bytea", "grün\\", "\\x6772c3bc6e5c"),
    Conversion("text", "inet", "10.0.0.1/8", "10.0.0.1/8"),
    Conversion("inet", "cidr", "10.0.0.0/8", "10.0.0.0/8"),
    Conversion("text", "int4range", "[1,5)", "[1,5)"),
    Conversion("int4range", "int4multirange", "[1,5)", "{[1,5)}"),
    Conversion("text", "pair", "(1,x)", "(1,x)"),
    Conversion("pair", "jsonb", "(1,x)", '{"a": 1, "b": "x"}', back="fails"),
    Conversion("integer", "bit(8)", "5", "00000101"),
    Conversion("bit(3)", "bit(8)", "101", "10100000"),
    Conversion("money", "integer", "$1.50", "150", back="$150.00"),
    Conversion("real[]", "vector(2)", "{1,2}", "[1,2]"),
    Conversion("vector(2)", "vector(4)", "[1,2]", "[1,2,0,0]"),
    Conversion("vector(3)", "vector(2)", "[1,2,3]", "[1,2]", back="[1,2,0]"),
    Conversion("vector", "vector(2)", "[1,2]", "[1,2]"),
    Conversion("vector(2)", "halfvec(2)", "[1,2]", "[1,2]"),
    Conversion("halfvec(2)", "halfvec(3)", "[1,2]", "[1,2,0]"),
    Conversion("halfvec(2)", "vector(3)", "[1,2]", "[1,2,0]"),
    Conversion("vector(2)", "sparsevec(2)", "[1,0]", "{1:1}/2"),
    Conversion("sparsevec(2)", "sparsevec(5)", "{1:1}/2", "{1:1}/5"),
    Conversion("sparsevec(3)", "halfvec(2)", "{1:1}/3", "[1,0]"),
    Conversion("vector(3)", "bit(3)", "[1,-1,0.5]", "101", back="[1,0,1]"),
    Conversion("sparsevec(3)", "bit(2)", "{1:1}/3", "10"),
    Conversion("bit(3)", "vector(3)", "101", "[1,0,1]"),
    Conversion("vector(2)", "double precision[]", "[1,2]", "{1,2}"),
    Conversion("sparsevec(2)", "real[]", "{1:1}/2", "{1,0}"),
    Conversion("text", "vector(2)", "[1,2]", "[1,2]"),
]


def _table(given: list[Conversion], side: str) -> str:
    columns = (f"c{number} {getattr(conversion, side)}" for number, conversion in enumerate(given))
    return f"CREATE TABLE t (row text, {', '.join(columns)})"


def _values(connection: Connection, given: list[Conversion]) -> list[tuple[str, ...]]:
    columns = ", ".join(f"c{number}::text" for number in range(len(given)))
    return [tuple(row) for row in connection.exec_driver_sql(f"SELECT {columns} FROM t ORDER BY row")]


def _converted(connection: Connection, old: Schema, new: Schema) -> None:
    lines = plan(Context(old, new))
    run(connection, lines)
    equal(read(connection), new, lines)


def _start(connection: Connection, given: list[Conversion]) -> tuple[Schema, Schema]:
    """The schemas before and after; a row of values and one of NULLs."""
    old, new = (by_sql(connection, MADE_BEFORE, _table(given, side)) for side in ("before", "after"))
    connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
    connection.exec_driver_sql(MADE_BEFORE + _table(given, "before"), execution_options={"no_parameters": True})
    values = ("'" + conversion.value.replace("'", "''") + "'" for conversion in given)
    connection.exec_driver_sql(
        f"INSERT INTO t VALUES ('a', {', '.join(values)}), ('b'{', NULL' * len(given)})",
        execution_options={"no_parameters": True},
    )
    return old, new


def test_rows_are_converted_up_and_down(transaction: Connection) -> None:
    given = [conversion for conversion in CONVERSIONS if conversion.back != "fails"]
    old, new = _start(transaction, given)
    was = _values(transaction, given)
    _converted(transaction, old, new)
    assert dict(zip(given, _values(transaction, given)[0], strict=True)) == {c: c.converted for c in given}
    assert set(_values(transaction, given)[1]) == {None}
    _converted(transaction, new, old)
    back = {c: c.back or value for c, value in zip(given, was[0], strict=True)}
    assert dict(zip(given, _values(transaction, given)[0], strict=True)) == back


@pytest.mark.parametrize(
    "given",
    [
        Conversion("varchar(9)", "varchar(2)", "abc", ""),
        Conversion("text", "slug", "longer than it", ""),
        Conversion("text", "mood", "unknown", ""),
        Conversion("vector", "vector(2)", "[1,2,3]", ""),
        Conversion("jsonb", "text[]", '["a\\nb"]', ""),
    ],
    ids=lambda given: f"{given.before} to {given.after}",
)
def test_what_the_new_type_cannot_hold_fails_and_is_not_cut(transaction: Connection, given: Conversion) -> None:
    old, new = _start(transaction, [given])
    with pytest.raises(DBAPIError):
        run(transaction, plan(Context(old, new)))


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (
            "text",
            "integer",
            ["op.alter_column('t', 'c0', type_=sa.Integer(), postgresql_using='c0::integer')"],
        ),
        ("integer", "bigint", ["op.alter_column('t', 'c0', type_=sa.BigInteger())"]),
        (
            "vector(3)",
            "vector(2)",
            [
                "# The vectors that exist are cut to 2 dimensions: compute them again, for no model makes such ones.",
                "op.alter_column('t', 'c0', type_=Vector(2), postgresql_using='subvector(c0, 1, 2)')",
            ],
        ),
    ],
)
def test_what_is_written(transaction: Connection, before: str, after: str, lines: list[str]) -> None:
    given = [Conversion(before, after, "", "")]
    old, new = (by_sql(transaction, MADE_BEFORE, _table(given, side)) for side in ("before", "after"))
    assert list(map(str, plan(Context(old, new)))) == lines
