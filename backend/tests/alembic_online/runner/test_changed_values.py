"""A new type of a column: what it changes counts, and what keeps every value, or fails, does not."""

import pytest
from sqlalchemy import Connection

from alembic_online.runner.data_loss import changed
from alembic_online.runner.reversible_losses import WaysBack


def did(upgrade: str) -> WaysBack:
    return WaysBack({("t", "v"): upgrade} if upgrade else {})


ONE, TWO = "1 value changes", "2 values change"
# By kind: the old type, the new one (with its USING), rows, what the upgrade did, what changes ("" for nothing). What
# changes nothing and yet has values that do not fit fails.
CASES = {
    "numbers": [
        ("numeric(12,2)", "integer", ["10.55", "10.00"], "", ONE),
        ("numeric", "numeric(9, 1)", ["1.23", "1.20"], "", ONE),
        ("numeric(9,1)", "numeric(12,2)", ["1.2"], "", ""),
        ("numeric", "double precision", ["0.5", "12345678901234567890.123"], "", ONE),
        ("double precision", "numeric", ["0.1", "0.30000000000000004"], "", ONE),
        ("double precision", "real", ["0.5", "0.1"], "", ONE),
        ("real", "double precision", ["0.1"], "", ""),
        ("bigint", "double precision", ["1", "9007199254740993"], "", ONE),
        ("integer", "bigint", ["7"], "", ""),
        ("bigint", "integer", ["7"], "", ""),
        ("bigint", "integer", ["9007199254740993"], "", ""),
        ("numeric", "money USING v::money", ["1.005", "1.50"], "", ONE),
        ("money", "numeric(12,2)", ["1.50"], "", ""),
        ("integer", "numeric(12,2) USING v / 100.0", ["199", "200"], "v * 100", ""),
        ("integer", "boolean USING v <> 0", ["0", "1", "7"], "v::integer", ONE),
        ("integer", "text", ["7"], "", ""),
        ("numeric", "text", ["7.50"], "", ""),
        ("double precision", "text", ["0.30000000000000004"], "", ""),
    ],
    "strings": [
        ("text", "varchar(3)", ["abcdef"], "", ""),
        ("text", "varchar(3)", ["abc   ", "abc"], "", ONE),
        ("text", "varchar(3) USING left(v, 3)", ["abcdef", "abc"], "", ONE),
        ("text", "varchar(3) USING v::varchar(3)", ["abcdef", "abc"], "", ONE),
        ("text", "varchar(3) USING substring(v FROM 1 FOR 3)", ["abcdef", "abc"], "", ONE),
        ("varchar(10)", "varchar(20)", ["abc"], "", ""),
        ("varchar(10)", "text", ["abc "], "", ""),
        ("text", "char(5)", ["abc"], "", ""),
        ("text", "char(5)", ["abc "], "", ONE),
        ("char(5)", "text", ["abc"], "", ""),
        ("char(5)", "varchar(3)", ["abc"], "", ""),
        ("text", "integer USING v::integer", ["7", "007"], "", ONE),
        ("text", "text USING lower(v)", ["a", "A"], "", ONE),
        ("text", "text USING trim(v)", ["a"], "", ""),
        ("text", "uuid USING v::uuid", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], "", ""),
        ("text", "bytea USING convert_to(v, 'UTF8')", ["ä"], "convert_from(v, 'UTF8')", ""),
        ("text", "text[] USING string_to_array(v, ',')", ["a,b"], "array_to_string(v, ',')", ""),
        ("text[]", "text USING v[1]", ["{a}", "{a,b}"], "ARRAY[v]", ONE),
    ],
    "enums and domains": [
        ("mood", "text", ["calm", "wild"], "", ""),
        ("mood", "text USING v::text", ["calm"], "", ""),
        ("text", "mood USING v::mood", ["calm"], "", ""),
        ("mood", "mild USING v::text::mild", ["calm"], "", ""),
        ("mood", "mild USING (CASE v WHEN 'wild' THEN 'calm' ELSE v::text END)::mild", ["calm", "wild"], "", ONE),
        ("mood[]", "text[] USING v::text[]", ["{calm}"], "", ""),
        ("short", "text", ["abc"], "", ""),
        ("price", "integer", ["1.5", "2"], "", ONE),
        ("pair", "text USING v::text", ["(1,)"], "", ""),
    ],
    "times": [
        ("timestamp", "date", ["2026-01-01", "2026-01-01 01:02"], "", ONE),
        ("timestamptz", "date", ["2026-01-01 00:00", "2026-01-01 01:02"], "", ONE),
        ("timestamp", "timestamptz", ["2026-01-01 01:02"], "", ""),
        ("timestamptz", "timestamp", ["2026-01-01 01:02+00"], "", ""),
        (
            "timestamptz",
            "timestamp USING v AT TIME ZONE 'Asia/Tokyo'",
            ["2026-01-01 01:02"],
            "v AT TIME ZONE 'Asia/Tokyo'",
            "",
        ),
        ("date", "timestamp", ["2026-01-01"], "", ""),
        ("timestamp", "timestamp(0)", ["2026-01-01 00:00:01", "2026-01-01 00:00:01.5"], "", ONE),
        ("timestamp(0)", "timestamp(3)", ["2026-01-01 00:00:01"], "", ""),
        ("time", "time(0)", ["00:00:01.5"], "", ONE),
        ("interval", "interval day to minute", ["1 day 00:01", "00:00:01"], "", ONE),
        ("interval", "interval(0)", ["1.5 s"], "", ONE),
        ("interval", "bigint USING extract(epoch FROM v)", ["90 s", "1 mon"], "make_interval(secs => v)", ONE),
        ("timestamptz", "bigint USING extract(epoch FROM v)", ["2026-01-01 01:02"], "to_timestamp(v)", ""),
        ("timestamptz", "timetz", ["2026-01-01 01:02"], "", ONE),
    ],
    "documents": [
        ("json", "jsonb", ['{"b": 1,  "a": 2}'], "", ""),
        ("json", "jsonb", ['{"a": 1, "a": 2}', '{"a": 1}', '[{"b": 1, "b": 2}]'], "", TWO),
        ("jsonb", "json", ['{"a": 1}'], "", ""),
        ("jsonb", "text", ['{"a": 1}'], "", ""),
        ("text", "jsonb USING v::jsonb", ['{"a":1}'], "", ""),
        ("text", "json USING v::json", ['{"a":1}'], "", ""),
    ],
    "bits, networks, ranges, places": [
        ("bit(8)", "bit(4) USING v::bit(4)", ["10100000", "10100001"], "", TWO),
        ("bit(8)", "bit(4)", ["10100000"], "", ""),
        ("bit(8)", "varbit", ["10100000"], "", ""),
        ("inet", "cidr USING v::cidr", ["10.0.0.0/8", "10.1.2.3/8"], "", ONE),
        ("cidr", "inet", ["10.0.0.0/8"], "", ""),
        ("macaddr8", "macaddr", ["08:00:2b:ff:fe:01:02:03"], "", ""),
        ("point", "text USING v::text", ["(1,2)"], "", ""),
        ("circle", "box USING v::box", ["<(1,2),3>"], "", ONE),
        ("int4range", "int4multirange USING v::int4multirange", ["[1,3)"], "range_merge(v)", ""),
        ("int4multirange", "int4range USING range_merge(v)", ["{[1,3)}", "{[1,3),[5,7)}"], "v::int4multirange", ONE),
    ],
    "pgvector": [
        ("vector(3)", "vector(2) USING subvector(v, 1, 2)", ["[1,2,3]"], "", ONE),
        (
            "vector(3)",
            "vector(2) USING subvector(v, 1, 2)",
            ["[1,2,0]", "[1,2,3]"],
            "v || array_fill(0, ARRAY[1])::vector",
            ONE,
        ),
        ("vector(3)", "vector(4) USING v || array_fill(0, ARRAY[1])::vector", ["[1,2,3]"], "subvector(v, 1, 3)", ""),
        ("vector(3)", "halfvec(3)", ["[1,2,3]", "[0.1,2,3]"], "", ONE),
        ("halfvec(3)", "vector(3)", ["[0.1,2,3]"], "", ""),
        ("vector(3)", "vector", ["[0.1,2,3]"], "", ""),
        ("vector(3)", "vector(2)", ["[0.1,2,3]"], "", ""),
        ("vector(3)", "sparsevec(3)", ["[0.1,0,3]"], "", ""),
        ("vector(3)", "bit(3) USING binary_quantize(v)", ["[0.1,0,3]"], "", "values change, not counted"),
        ("vector(3)", "real[]", ["[0.1,0,3]"], "", ""),
    ],
}


@pytest.mark.parametrize("kind", CASES)
def test_what_changes(connection: Connection, kind: str) -> None:
    run = connection.exec_driver_sql
    run("CREATE EXTENSION vector; CREATE TYPE mood AS ENUM ('calm', 'wild'); CREATE TYPE mild AS ENUM ('calm')")
    run("CREATE DOMAIN short AS text CHECK (length(VALUE) < 5); CREATE DOMAIN price AS numeric CHECK (VALUE > 0)")
    run("SET LOCAL TimeZone = 'UTC'; CREATE TYPE pair AS (x int, y int)")
    wrong = {}
    for old, new, values, upgrade, lost in CASES[kind]:
        run(f"CREATE TABLE t (id int, v {old})")
        rows = ", ".join(f"(1, '{value}')" for value in values)
        run(f"INSERT INTO t VALUES (2, NULL), {rows}")
        found = list(changed(connection, f"ALTER TABLE t ALTER v TYPE {new}", did(upgrade)))
        if [loss.rows for loss in found] != ([lost] if lost else []):
            wrong[old, new] = found
        run("DROP TABLE t")
    assert not wrong
