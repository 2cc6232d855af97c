"""Every type that PostgreSQL prints is written so that the same is printed again."""

import pytest
from sqlalchemy import Connection

from alembic_online.autogenerate.column_types import column_type
from alembic_online.autogenerate.context import Context
from alembic_online.autogenerate.diff import plan
from alembic_online.autogenerate.op_rendering import Code
from tests.alembic_online.autogenerate.case import equal, read, run
from tests.alembic_online.autogenerate.state import by_sql

MADE_BEFORE = """
CREATE EXTENSION vector;
CREATE SCHEMA "Odd schema";
CREATE TYPE mood AS ENUM ('good', 'it''s "so"');
CREATE TYPE "Odd schema"."Odd (type)" AS ENUM ('a');
CREATE TYPE "user" AS ENUM ();
CREATE DOMAIN slug AS varchar(100);
CREATE DOMAIN "Odd schema".moods AS mood[];
CREATE TYPE pair AS (a int, b text);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE COLLATION "Odd schema".plain (provider = libc, locale = 'C');
"""
WRITTEN = {
    "smallint": "sa.SmallInteger()",
    "integer": "sa.Integer()",
    "bigint": "sa.BigInteger()",
    "real": "sa.REAL()",
    "double precision": "sa.Double()",
    "numeric": "sa.Numeric()",
    "numeric(10,0)": "sa.Numeric(precision=10, scale=0)",
    "numeric(10,2)": "sa.Numeric(precision=10, scale=2)",
    "numeric(5,-2)": "sa.Numeric(precision=5, scale=-2)",
    "boolean": "sa.Boolean()",
    "text": "sa.Text()",
    "character varying": "sa.String()",
    "character varying(255)": "sa.String(length=255)",
    "character(1)": "sa.CHAR(length=1)",
    "character(7)": "sa.CHAR(length=7)",
    "bpchar": "SQLType('bpchar')",
    "name": "SQLType('name')",
    '"char"': "SQLType('\"char\"')",
    "bytea": "sa.LargeBinary()",
    "date": "sa.Date()",
    "timestamp without time zone": "sa.DateTime()",
    "timestamp with time zone": "sa.DateTime(timezone=True)",
    "timestamp(0) without time zone": "postgresql.TIMESTAMP(precision=0)",
    "timestamp(3) with time zone": "postgresql.TIMESTAMP(timezone=True, precision=3)",
    "time without time zone": "sa.Time()",
    "time with time zone": "sa.Time(timezone=True)",
    "time(2) without time zone": "postgresql.TIME(precision=2)",
    "time(6) with time zone": "postgresql.TIME(timezone=True, precision=6)",
    "interval": "sa.Interval()",
    "interval(2)": "postgresql.INTERVAL(precision=2)",
    "interval year to month": "postgresql.INTERVAL(fields='YEAR TO MONTH')",
    "interval day to second(3)": "postgresql.INTERVAL(fields='DAY TO SECOND', precision=3)",
    "uuid": "sa.Uuid()",
    "json": "sa.JSON()",
    "jsonb": "postgresql.JSONB()",
    "jsonpath": "postgresql.JSONPATH()",
    "inet": "postgresql.INET()",
    "cidr": "postgresql.CIDR()",
    "macaddr": "postgresql.MACADDR()",
    "macaddr8": "postgresql.MACADDR8()",
    "money": "postgresql.MONEY()",
    "xml": "SQLType('xml')",
    "tsvector": "postgresql.TSVECTOR()",
    "tsquery": "postgresql.TSQUERY()",
    "oid": "postgresql.OID()",
    "regclass": "postgresql.REGCLASS()",
    "regconfig": "postgresql.REGCONFIG()",
    "regtype": "SQLType('regtype')",
    "pg_lsn": "SQLType('pg_lsn')",
    "point": "SQLType('point')",
    "polygon": "SQLType('polygon')",
    "bit(1)": "postgresql.BIT(1)",
    "bit(8)": "postgresql.BIT(8)",
    '"bit"': "SQLType('\"bit\"')",
    "bit varying": "postgresql.BIT(None, varying=True)",
    "bit varying(5)": "postgresql.BIT(5, varying=True)",
    "int4range": "postgresql.INT4RANGE()",
    "int8range": "postgresql.INT8RANGE()",
    "numrange": "postgresql.NUMRANGE()",
    "daterange": "postgresql.DATERANGE()",
    "tsrange": "postgresql.TSRANGE()",
    "tstzrange": "postgresql.TSTZRANGE()",
    "int4multirange": "postgresql.INT4MULTIRANGE()",
    "tstzmultirange": "postgresql.TSTZMULTIRANGE()",
    "text[]": "postgresql.ARRAY(sa.Text())",
    "character varying(5)[]": "postgresql.ARRAY(sa.String(length=5))",
    "timestamp(3) with time zone[]": "postgresql.ARRAY(postgresql.TIMESTAMP(timezone=True, precision=3))",
    "interval day to second(3)[]": "postgresql.ARRAY(postgresql.INTERVAL(fields='DAY TO SECOND', precision=3))",
    "numeric(10,2)[]": "postgresql.ARRAY(sa.Numeric(precision=10, scale=2))",
    "public.mood": "postgresql.ENUM('good', 'it\\'s \"so\"', name='mood', create_type=False)",
    "public.mood[]": "postgresql.ARRAY(postgresql.ENUM('good', 'it\\'s \"so\"', name='mood', create_type=False))",
    '"Odd schema"."Odd (type)"': ("postgresql.ENUM('a', name='Odd (type)', schema='Odd schema', create_type=False)"),
    'public."user"': "postgresql.ENUM(name='user', create_type=False)",
    "public.slug": "postgresql.DOMAIN('slug', sa.String(length=100), create_type=False)",
    '"Odd schema".moods': "postgresql.DOMAIN('moods', postgresql.ARRAY(postgresql.ENUM('good', 'it\\'s \"so\"', "
    "name='mood', create_type=False)), schema='Odd schema', create_type=False)",
    "public.pair": "SQLType('public.pair')",
    "public.pair[]": "postgresql.ARRAY(SQLType('public.pair'))",
    "public.span": "SQLType('public.span')",
    "public.span_multirange": "SQLType('public.span_multirange')",
    "public.vector": "Vector()",
    "public.vector(3)": "Vector(3)",
    "public.halfvec(3)": "HALFVEC(3)",
    "public.sparsevec(3)": "SPARSEVEC(3)",
    "public.vector(3)[]": "postgresql.ARRAY(Vector(3))",
}
COLLATED = {
    'text COLLATE "C"': "sa.Text(collation='C')",
    'character varying(9) COLLATE "C"': "sa.String(length=9, collation='C')",
    'text[] COLLATE "C"': "SQLType('text[] COLLATE \"C\"')",
    'public.slug COLLATE "C"': "SQLType('public.slug COLLATE \"C\"')",
    'text COLLATE "Odd schema".plain': "SQLType('text COLLATE \"Odd schema\".plain')",
}
COLUMNS = [f"c{number} {printed}" for number, printed in enumerate([*WRITTEN, *COLLATED])]


@pytest.mark.parametrize("before", ["", "CREATE TABLE t ();"], ids=["a new table", "new columns"])
def test_what_is_written_makes_the_same_type(transaction: Connection, before: str) -> None:
    old = by_sql(transaction, MADE_BEFORE, before or "SELECT 1")
    new = by_sql(transaction, MADE_BEFORE, f"CREATE TABLE t ({', '.join(COLUMNS)})")
    lines = plan(Context(old, new))
    transaction.exec_driver_sql(MADE_BEFORE + before)
    run(transaction, lines)
    equal(read(transaction), new, lines)


def test_a_type_is_written_as_a_developer_would(transaction: Connection) -> None:
    schema = by_sql(transaction, MADE_BEFORE)
    assert {printed: column_type(printed, schema) for printed in WRITTEN} == WRITTEN
    split = (printed.split(" COLLATE ") for printed in COLLATED)
    assert {f"{name} COLLATE {of}": column_type(name, schema, of) for name, of in split} == COLLATED


def test_types_of_extensions_have_the_names_of_sqlalchemy_where_the_name_is_found(transaction: Connection) -> None:
    schema = read(transaction)
    assert column_type("public.citext", schema) == "postgresql.CITEXT()"
    assert column_type("public.hstore", schema) == "postgresql.HSTORE()"
    assert column_type("elsewhere.citext", schema) == "SQLType('elsewhere.citext')"
    assert column_type("public.ltree", schema) == "SQLType('public.ltree')"
    assert column_type("public.geometry(Point,4326)", schema) == "SQLType('public.geometry(Point,4326)')"


def test_a_type_brings_its_imports(transaction: Connection) -> None:
    schema = read(transaction)
    array: Code = column_type("public.vector(3)[]", schema)
    assert array.imports == {
        "from pgvector.sqlalchemy import Vector",
        "from sqlalchemy.dialects import postgresql",
    }
    assert "class SQLType(" in "".join(column_type("xml", schema).imports)
