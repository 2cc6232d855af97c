"""Domains, composite types, ranges, collations and casts: they come, go and change, also where columns use them."""

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from alembic_online.autogenerate.context import Context
from alembic_online.autogenerate.diff import plan
from tests.alembic_online.autogenerate.case import Case, cases, prove, run
from tests.alembic_online.autogenerate.state import by_sql


def _sql(*statements: str) -> str:
    return f"declare(m, {', '.join(f'SQLObject({statement!r})' for statement in statements)})"


TABLE = "CREATE TABLE t (id int, a d DEFAULT '1', many d[], n int DEFAULT 1)"
USERS = (
    "CREATE VIEW v AS SELECT a FROM t",
    "CREATE INDEX i ON t (a)",
    "CREATE INDEX j ON t (id) WHERE a > '3'::d",
    "CREATE FUNCTION f(d) RETURNS d LANGUAGE sql AS 'SELECT $1'",
    "ALTER TABLE t ADD CHECK (a <> '5'::d)",
)
ROWS = "INSERT INTO t VALUES (1, '1', '{1,2}'), (2, NULL, NULL)"


@cases(
    Case(
        "a domain comes with a column",
        "Table('t', m, Column('id', Integer))",
        "Table('t', m, Column('id', Integer), Column('a', DOMAIN('slug', String(9), not_null=False, default='x', "
        "constraint_name='ck', check=\"VALUE <> ''\")))",
        [
            "CREATE DOMAIN slug AS character varying(9) DEFAULT 'x'::character varying CONSTRAINT ck CHECK",
            "op.add_column('t', sa.Column('a', postgresql.DOMAIN('slug', sa.String(length=9), create_type=False)",
        ],
        ["op.drop_column", "DROP DOMAIN slug"],
    ),
    Case(
        "its base type changes under a table with rows and all that names it",
        _sql("CREATE DOMAIN d AS int CHECK (VALUE > 0)", TABLE, *USERS),
        _sql("CREATE DOMAIN d AS numeric(5,1) CONSTRAINT positive CHECK (VALUE > 0)", TABLE, *USERS),
        [
            "ALTER DOMAIN d RENAME TO d_old",
            "CREATE DOMAIN d AS numeric(5,1) CONSTRAINT positive CHECK",
            "postgresql_using='a::numeric::d'",
            "postgresql_using='many::numeric[]::d[]'",
            "DROP DOMAIN d_old",
        ],
        rows=ROWS,
        kept="SELECT id, a::int, many::int[] FROM t ORDER BY id",
    ),
    Case(
        "both ways, with a check that is not valid",
        _sql("CREATE DOMAIN d AS int", "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID", TABLE),
        _sql("CREATE DOMAIN d AS bigint", "COMMENT ON DOMAIN d IS 'x'", TABLE),
    ),
    Case(
        "a longer text",
        _sql("CREATE DOMAIN d AS varchar(5)", TABLE),
        _sql("CREATE DOMAIN d AS varchar(50)", TABLE),
        ["sa.String(length=50), create_type=False), postgresql_using='a::character varying'"],
        rows=ROWS,
        kept="SELECT id, a::text, many::text FROM t ORDER BY id",
    ),
    Case(
        "collation, default, not null, checks and comments",
        _sql("CREATE DOMAIN d AS text COLLATE \"C\" DEFAULT 'it''s' CONSTRAINT a CHECK (VALUE <> '')", TABLE),
        _sql("CREATE DOMAIN d AS text NOT NULL CONSTRAINT a CHECK (VALUE <> 'x')", "COMMENT ON DOMAIN d IS 'x'")
        + "\n"
        + _sql(TABLE),
    ),
    Case(
        "a check of a domain with rows",
        _sql("CREATE DOMAIN d AS int", "CREATE TABLE t (id int, a d)"),
        _sql("CREATE DOMAIN d AS int DEFAULT 7 CONSTRAINT c CHECK (VALUE > 0)", "CREATE TABLE t (id int, a d)"),
        ["SET DEFAULT 7", "ADD CONSTRAINT c CHECK"],
        ["DROP DEFAULT"],
        rows="INSERT INTO t VALUES (1, 2)",
        both_ways=False,
    ),
    Case(
        "a domain of a domain of an array of an enum, in schemas",
        "",
        _sql(
            "CREATE SCHEMA s",
            "CREATE TYPE s.e AS ENUM ('a')",
            'CREATE DOMAIN "D" AS s.e[]',
            'CREATE DOMAIN s."D" AS public."D"',
            'CREATE TABLE t (a s."D", b "D"[])',
        ),
    ),
    Case(
        "a text becomes a domain, and back",
        "Table('t', m, Column('a', String(9), server_default='x'))",
        "Table('t', m, Column('a', DOMAIN('slug', String(9)), server_default='x'))",
        ["CREATE DOMAIN", "op.alter_column('t', 'a', type_=postgresql.DOMAIN("],
        rows="INSERT INTO t VALUES ('y')",
        kept="SELECT a::text FROM t",
    ),
)
def test_domain(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


def test_what_the_new_domain_cannot_hold_fails_and_is_not_cut(transaction: Connection) -> None:
    old, new = (by_sql(transaction, f"CREATE DOMAIN d AS varchar({size}); {TABLE}") for size in (9, 2))
    transaction.exec_driver_sql(f"CREATE DOMAIN d AS varchar(9); {TABLE}; INSERT INTO t VALUES (1, 'abc')")
    with pytest.raises(DBAPIError, match="value too long"):
        run(transaction, plan(Context(old, new)))


@cases(
    Case(
        "a composite type comes with a table",
        "",
        _sql(
            'CREATE TYPE pair AS (a int, "B" text COLLATE "C", c numeric(5,2)[])',
            "COMMENT ON TYPE pair IS 'two'",
            "COMMENT ON COLUMN pair.a IS 'it''s'",
            "CREATE TABLE t (p pair, many pair[])",
        ),
        ['CREATE TYPE pair AS (a integer, "B" text COLLATE', "sa.Column('p', SQLType('pair')"],
        ["op.drop_table", "DROP TYPE pair"],
    ),
    Case(
        "attributes of a type in use",
        _sql("CREATE TYPE pair AS (a int, b text)", "CREATE TABLE t (p pair)"),
        _sql("CREATE TYPE pair AS (a int, c date)", "COMMENT ON COLUMN pair.c IS 'x'", "CREATE TABLE t (p pair)"),
        ["ADD ATTRIBUTE c date", "DROP ATTRIBUTE b"],
        rows="INSERT INTO t VALUES ('(1,x)')",
        kept="SELECT (p).a FROM t",
    ),
    Case(
        "the type of an attribute that nobody holds",
        _sql("CREATE TYPE pair AS (a int, b text)", "CREATE FUNCTION f(pair) RETURNS int LANGUAGE sql AS 'SELECT 1'"),
        _sql(
            "CREATE TYPE pair AS (a bigint, b text)", "CREATE FUNCTION f(pair) RETURNS int LANGUAGE sql AS 'SELECT 1'"
        ),
    ),
    Case(
        "a range type comes with a table",
        "",
        _sql(
            'CREATE TYPE span AS RANGE (subtype = text, subtype_opclass = text_pattern_ops, collation = "C", '
            "multirange_type_name = spans)",
            "CREATE TYPE floatrange AS RANGE (subtype = float8, subtype_diff = float8mi)",
            "CREATE TABLE t (a span, b spans, c floatrange, d floatmultirange[])",
        ),
        ["CREATE TYPE floatrange AS RANGE (SUBTYPE = double precision, SUBTYPE_DIFF = float8mi)"],
    ),
    Case(
        "its multirange is renamed under a column",
        _sql("CREATE TYPE span AS RANGE (subtype = float8)", "CREATE TABLE t (b span)"),
        _sql("CREATE TYPE span AS RANGE (subtype = float8, multirange_type_name = spans)", "CREATE TABLE t (b span)"),
        ["ALTER TYPE span_multirange RENAME TO spans"],
    ),
    Case(
        "a collation comes with a column and an index",
        "Table('t', m, Column('a', Text), Column('b', Text))",
        _sql(
            "CREATE COLLATION plain (provider = libc, lc_collate = 'C', lc_ctype = 'POSIX')",
            "CREATE TABLE t (a text COLLATE plain, b text)",
            "CREATE INDEX i ON t (b COLLATE plain)",
        ),
        ["CREATE COLLATION plain", "op.alter_column", "op.create_index"],
    ),
    Case(
        "a cast, an operator and a text search configuration come with what uses them",
        "",
        _sql(
            "CREATE TYPE e AS ENUM ('a')",
            "CREATE FUNCTION e(int) RETURNS e LANGUAGE sql IMMUTABLE AS 'SELECT ''a''::e'",
            "CREATE CAST (int AS e) WITH FUNCTION e(int) AS ASSIGNMENT",
            "CREATE FUNCTION same(e, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1::text = $2'",
            "CREATE OPERATOR === (leftarg = e, rightarg = text, function = same)",
            "CREATE TEXT SEARCH DICTIONARY words (template = simple, accept = false)",
            "CREATE TEXT SEARCH CONFIGURATION cfg (copy = simple)",
            "ALTER TEXT SEARCH CONFIGURATION cfg ALTER MAPPING FOR asciiword WITH words, simple",
            "CREATE TABLE t (a e CHECK (a === 'x'), b text, "
            "c tsvector GENERATED ALWAYS AS (to_tsvector('cfg', b)) STORED)",
        ),
    ),
)
def test_type(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
