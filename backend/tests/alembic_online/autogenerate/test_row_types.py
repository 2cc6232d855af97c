"""The rows of a table as a type: functions that return them, tables made of a type, columns of other tables."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove


def sql(*statements: str) -> str:
    """Declared after the tables."""
    return f"declare(m, {', '.join(f'SQLObject({statement!r})' for statement in statements)})\n"


def chunk(*more: str) -> str:
    """A table, with more columns."""
    return f'Table("chunk", m, Column("id", Integer), Column("text", Text){"".join(f", {each}" for each in more)})\n'


LANG = "Column('lang', Text)"


def function(body: str, result: str = "SETOF chunk", name: str = "latest()") -> str:
    """A function of SQL."""
    return sql(f"CREATE FUNCTION {name} RETURNS {result} LANGUAGE sql {body}")


ALL, BODY = "BEGIN ATOMIC SELECT * FROM chunk; END", "AS 'SELECT id, text FROM chunk'"
ONE, ON_IT = ALL.replace("chunk;", "chunk LIMIT 1;"), sql("CREATE VIEW v AS SELECT id FROM latest()")
VIEW = "CREATE VIEW pages AS SELECT id, text FROM chunk"
WIDER = VIEW.replace("text FROM", "text, lang FROM")


@cases(
    Case(
        "a column of the table that it returns",
        function(ALL) + chunk(),
        function(ALL) + chunk(LANG),
        ["op.add_column", "CREATE OR REPLACE"],
        ["DROP FUNCTION", "op.drop_column", "CREATE FUNCTION"],
    ),
    Case(
        "whose body is a text",
        function(BODY) + chunk(),
        function(BODY.replace("text FROM", "text, lang FROM")) + chunk(LANG),
        ["op.add_column", "CREATE OR REPLACE"],
        ["op.drop_column", "CREATE OR REPLACE"],
    ),
    Case("that comes when a column goes", chunk(LANG), function(ALL) + chunk(), ["op.drop_column", "CREATE FUNCTION"]),
    Case("with a view on it", function(ALL) + chunk() + ON_IT, function(ALL) + chunk(LANG) + ON_IT),
    Case("one of them", function(ONE, "chunk") + chunk(), function(ONE, "chunk") + chunk(LANG)),
    Case(
        "a table of its own",
        chunk() + function("BEGIN ATOMIC SELECT id, text FROM chunk; END", "TABLE (a integer, b text)"),
        chunk(LANG) + function("BEGIN ATOMIC SELECT id, lang FROM chunk; END", "TABLE (a integer, b text)"),
    ),
    Case(
        "the rows of a view",
        chunk() + sql(VIEW) + function("BEGIN ATOMIC SELECT * FROM pages; END", "SETOF pages"),
        chunk(LANG) + sql(WIDER) + function("BEGIN ATOMIC SELECT * FROM pages; END", "SETOF pages"),
    ),
    Case(
        "of a composite type",
        sql("CREATE TYPE pair AS (a integer)") + function("AS 'SELECT 1'", "SETOF pair"),
        sql("CREATE TYPE pair AS (a integer, b integer)") + function("AS 'SELECT 1, 2'", "SETOF pair"),
    ),
    Case(
        "it takes a row",
        chunk() + function("RETURN c.text", "text", "f(c chunk)"),
        chunk(LANG) + function("RETURN c.text || c.lang", "text", "f(c chunk)"),
    ),
    Case(
        "another type of a column",
        chunk(LANG) + function("AS 'SELECT id, text, lang FROM chunk'"),
        chunk("Column('lang', Integer)") + function("AS 'SELECT id, text, 7 FROM chunk'"),
    ),
)
def test_a_function_fits_the_rows_that_it_returns(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


def numbers(*more: str, holder: str = "chunk") -> str:
    """A table whose rows stand in a column of another one."""
    return chunk(*more) + sql(f"CREATE TABLE holder (held {holder})")


ROWS = "INSERT INTO chunk VALUES (1, 'a'), (2, 'b'); INSERT INTO holder VALUES (ROW(3, 'c')::chunk)"
KEPT = "SELECT id, text FROM chunk ORDER BY id"


@cases(
    Case("a default", numbers(), numbers("Column('n', Integer, server_default='3')"), rows=ROWS, kept=KEPT),
    Case(
        "a default, not NULL",
        numbers(),
        numbers("Column('n', Integer, server_default='3', nullable=False)"),
        ["op.add_column('chunk', sa.Column('n', sa.Integer(), nullable=True))", "server_default=", "nullable=False"],
        rows=ROWS,
        kept=KEPT,
    ),
    Case(
        "an identity",
        numbers(),
        numbers("Column('n', Integer, Identity(start=10), nullable=False)"),
        rows=ROWS,
        kept=KEPT,
    ),
    Case(
        "a value of the application",
        numbers(),
        numbers("Column('n', Integer, default=7, nullable=False)"),
        rows=ROWS,
        both_ways=False,
    ),
    Case(
        "in an array, and a column that comes back",
        numbers("Column('n', Integer, nullable=False)", holder="chunk[]"),
        numbers(holder="chunk[]"),
        both_ways=False,
        rows="INSERT INTO chunk VALUES (1, 'a', 2)",
        kept=KEPT,
    ),
    Case(
        "an identity of a table that others inherit from",
        chunk() + sql("CREATE TABLE child (z integer) INHERITS (chunk)"),
        chunk("Column('n', Integer, Identity())") + sql("CREATE TABLE child (z integer) INHERITS (chunk)"),
        rows="INSERT INTO chunk VALUES (1, 'a'); INSERT INTO child VALUES (2, 'b', 3), (3, 'c', 4)",
        kept=KEPT,
    ),
)
def test_a_column_is_added_in_steps(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


def typed(attributes: str, *more: str) -> str:
    """Tables made of a type."""
    of = "CREATE TABLE other OF pair (a DEFAULT 3, PRIMARY KEY (a))"
    return sql(f"CREATE TYPE pair AS ({attributes})", "CREATE TABLE one OF pair", of, *more)


@cases(
    Case("they come", "", typed("a integer")),
    Case("an attribute", typed("a integer"), typed("a integer, b text"), ["ADD ATTRIBUTE b text CASCADE"]),
    Case(
        "another type, of values that stay",
        typed("a integer, b integer"),
        typed("a integer, b text"),
        ["one NOT OF", "ALTER ATTRIBUTE b", "one OF pair"],
        rows="INSERT INTO one VALUES (1, 2)",
        kept="SELECT a, b::text FROM one",
    ),
    Case("a table and an attribute", typed("a integer"), typed("a integer, b text", "CREATE TABLE more OF pair")),
    Case(
        "a table is no longer of it", typed("a integer"), typed("a integer").replace("one OF pair", "one (a integer)")
    ),
)
def test_a_table_made_of_a_type(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
