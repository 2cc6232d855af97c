"""Functions, procedures and aggregates."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove
from tests.alembic_online.autogenerate.statements import TOUCH, on_t, sql

ADD = "CREATE FUNCTION add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT a + b'"
REPLACE, DROP = "CREATE OR REPLACE FUNCTION add(", "DROP FUNCTION add(integer, integer)"
CALLED = "CREATE FUNCTION called(x int{}) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x'"


def in_default(function: str, column: str) -> str:
    """A function that a column's default calls."""
    made = f"declare(m, SQLObject({f'CREATE FUNCTION f() {function}'!r}, before_tables=True))"
    return f'{made}\nTable("t", m, Column("a", {column}, server_default=text("f()")))'


@cases(
    Case(
        "other arguments, and whatever calls it fits both",
        on_t(CALLED.format(""), "CREATE INDEX i ON t (called(a))", "CREATE VIEW v AS SELECT called(a) FROM t"),
        on_t(
            CALLED.format(", y int DEFAULT 2"),
            "CREATE INDEX i ON t (called(a))",
            "CREATE VIEW v AS SELECT called(a) FROM t",
        ),
        ["DROP FUNCTION called(integer)", "CREATE FUNCTION called(", "op.create_index("],
    ),
    Case("one comes", "", sql(ADD), ["CREATE FUNCTION add(a integer, b integer DEFAULT 1)"], [DROP]),
    Case("a body of many lines", "", sql(TOUCH)),
    Case("carriage returns", "", sql(TOUCH.replace("\n", "\r\n"))),
    Case("ends with a quotation mark", "", sql("CREATE FUNCTION q() RETURNS text LANGUAGE sql AS 'SELECT ''\"\"\"'''")),
    Case("another body", sql(ADD), sql(ADD.replace("a + b", "a - b")), [REPLACE], [REPLACE]),
    Case("another default", sql(ADD), sql(ADD.replace("DEFAULT 1", "DEFAULT 2")), [REPLACE]),
    Case("a default less", sql(ADD), sql(ADD.replace(" DEFAULT 1", "")), [DROP, "CREATE FUNCTION"], [REPLACE]),
    Case("another result", sql(ADD), sql(ADD.replace("RETURNS int", "RETURNS bigint")), [DROP, "CREATE FUNCTION"]),
    Case("other names of parameters", sql(ADD), sql(ADD.replace("a int", "c int").replace("a + b", "c + b")), [DROP]),
    Case(
        "other parameters",
        sql(ADD),
        sql(ADD.replace("a int", "a text").replace("a + b", "b")),
        ["CREATE FUNCTION"],
        ["DROP"],
    ),
    Case("an overload", sql(ADD), sql(ADD, ADD.replace("a int", "a text").replace("a + b", "b"))),
    Case(
        "volatility, cost, security, settings",
        sql(ADD),
        sql(f"{ADD} IMMUTABLE COST 5 SECURITY DEFINER SET search_path = ''"),
    ),
    Case(
        "of rows, variadic, with OUT parameters",
        "",
        sql(
            "CREATE FUNCTION f(IN a int, OUT b int, OUT c text, VARIADIC d int[]) RETURNS SETOF record"
            " LANGUAGE sql AS 'SELECT a, a::text'",
            "CREATE FUNCTION g() RETURNS TABLE (x int, y text) LANGUAGE sql AS 'SELECT 1, ''a'''",
        ),
    ),
    Case(
        "with a body of standard SQL",
        sql(table=True),
        on_t("CREATE FUNCTION f() RETURNS bigint RETURN (SELECT count(*) FROM t)"),
        ["CREATE FUNCTION f()"],
    ),
    Case(
        "comment and grant",
        sql(ADD),
        sql(
            ADD,
            "COMMENT ON FUNCTION add IS 'sum'",
            "REVOKE EXECUTE ON FUNCTION add FROM PUBLIC",
            "GRANT EXECUTE ON FUNCTION add TO pg_monitor",
        ),
    ),
    Case(
        "a name with quotes",
        "",
        sql(
            'CREATE FUNCTION "My (odd) name"("A b" int) RETURNS int LANGUAGE sql AS \'SELECT 1\'',
            "COMMENT ON FUNCTION \"My (odd) name\" IS 'x'",
        ),
    ),
    Case("of a table's row", sql(table=True), on_t("CREATE FUNCTION f(t) RETURNS int LANGUAGE sql AS 'SELECT $1.a'")),
    Case(
        "calling another",
        "",
        sql(
            "CREATE FUNCTION b() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE FUNCTION a() RETURNS int LANGUAGE sql AS 'SELECT b()'",
        ),
    ),
    Case(
        "reading a table that comes as well",
        "",
        on_t("CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM t'"),
        ["op.create_table(", "CREATE FUNCTION"],
    ),
    Case(
        "a view on it, rebuilt",
        sql(ADD, "CREATE VIEW v AS SELECT add(1)"),
        sql(ADD.replace("RETURNS int", "RETURNS bigint"), "CREATE VIEW v AS SELECT add(1)"),
    ),
    Case(
        "in a default",
        "",
        "declare(m, SQLObject('CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''SELECT 1''', True))\n".replace(
            "''", '"'
        ).replace('"SELECT 1"', "$$SELECT 1$$")
        + 'Table("t", m, Column("a", Integer, server_default=text("f()")))',
        ["CREATE FUNCTION", "op.create_table("],
        ["op.drop_table(", "DROP FUNCTION"],
    ),
    Case(
        "of another result, in the default of a column with rows",
        in_default("RETURNS int LANGUAGE sql AS 'SELECT 1'", "Integer"),
        in_default("RETURNS bigint LANGUAGE sql AS 'SELECT 2'", "BigInteger"),
        ["server_default=None", "DROP FUNCTION", "CREATE FUNCTION", "server_default=sa.text('f()')"],
        rows="INSERT INTO t DEFAULT VALUES",
        kept="SELECT a FROM t",
    ),
    Case(
        "a procedure",
        "",
        sql("CREATE PROCEDURE p(i int) LANGUAGE sql AS 'SELECT i'", "COMMENT ON PROCEDURE p IS 'x'"),
        ["CREATE PROCEDURE"],
        ["DROP PROCEDURE p(integer)"],
    ),
    Case(
        "a procedure's body",
        sql("CREATE PROCEDURE p(i int) LANGUAGE sql AS 'SELECT i'"),
        sql("CREATE PROCEDURE p(i int) LANGUAGE sql AS 'SELECT 1'"),
    ),
    Case(
        "a procedure becomes a function",
        sql("CREATE PROCEDURE p(i int) LANGUAGE sql AS 'SELECT i'"),
        sql("CREATE FUNCTION p(i int) RETURNS int LANGUAGE sql AS 'SELECT i'"),
        ["DROP PROCEDURE", "CREATE FUNCTION"],
        ["DROP FUNCTION", "CREATE PROCEDURE"],
    ),
)
def test_functions(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


TOTAL = "CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int, initcond = '0')"


@cases(
    Case(
        "one comes",
        "",
        sql(TOTAL),
        ["CREATE AGGREGATE total(integer) ("],
        ["DROP AGGREGATE total(integer)"],
    ),
    Case("other options", sql(TOTAL), sql(TOTAL.replace("'0'", "'1', parallel = safe"))),
    Case(
        "of nothing",
        "",
        sql(
            "CREATE AGGREGATE n(*) (sfunc = int8inc, stype = bigint, initcond = '0')",
            "COMMENT ON AGGREGATE n(*) IS 'x'",
        ),
    ),
    Case(
        "with a function of ours",
        "",
        sql("CREATE FUNCTION f(int, int) RETURNS int LANGUAGE sql AS 'SELECT $1 + $2'", TOTAL.replace("int4pl", "f")),
        ["CREATE FUNCTION", "CREATE AGGREGATE"],
    ),
    Case(
        "moving, with everything",
        "",
        sql(
            "CREATE AGGREGATE s(float8) (sfunc = float8_accum, stype = float8[], finalfunc = float8_avg,"
            " combinefunc = float8_combine, initcond = '{0,0,0}', sspace = 64, msfunc = float8_accum,"
            " minvfunc = float8_accum, mstype = float8[], mfinalfunc = float8_avg, minitcond = '{0,0,0}')"
        ),
    ),
    Case(
        "a greatest", "", sql("CREATE AGGREGATE top(int) (sfunc = int4larger, stype = int, sortop = >)"), ["SORTOP = >"]
    ),
    Case(
        "of an ordered set",
        "",
        sql(
            "CREATE AGGREGATE m(float8 ORDER BY anyelement) (sfunc = ordered_set_transition, stype = internal,"
            " finalfunc = percentile_disc_final, finalfunc_extra)"
        ),
    ),
    Case("granted", sql(TOTAL), sql(TOTAL, "REVOKE EXECUTE ON FUNCTION total(int) FROM PUBLIC")),
)
def test_aggregates(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
