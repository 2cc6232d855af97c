"""Rows that exist: what is written works on a table with rows, or the author is told at once and shown the lines."""

import psycopg
import pytest
from alembic.operations import MigrateOperation
from sqlalchemy import Connection

from alembic_online.autogenerate.context import Context
from alembic_online.autogenerate.diff import plan
from alembic_online.autogenerate.existing_rows import hold_null
from alembic_online.errors import RequestRefused
from tests.alembic_online.autogenerate.case import Case, cases, equal, prove, read, run
from tests.alembic_online.autogenerate.state import by_models, by_sql, models
from tests.alembic_online.project import Project

BEFORE = "Table('t', m, Column('id', Integer, primary_key=True))"
ROWS = "INSERT INTO t (id) VALUES (1), (2)"


def _t(*columns: str) -> str:
    return f"Table('t', m, Column('id', Integer, primary_key=True), {', '.join(columns)})"


@cases(
    Case(
        "a server default fills the rows, and stays",
        BEFORE,
        _t("Column('a', String, nullable=False, server_default='x')"),
        ["op.add_column('t', sa.Column('a', sa.String(), server_default='x', nullable=False))"],
        rows=ROWS,
        kept="SELECT id FROM t",
    ),
    Case(
        "the models say that there are none",
        BEFORE,
        _t("Column('a', String, nullable=False, info={'no_rows': True})"),
        ["# Fails where the table has rows", "op.add_column('t', sa.Column('a', sa.String(), nullable=False))"],
        both_ways=False,
    ),
    Case(
        "a plain value in Python fills them, and goes again",
        BEFORE,
        _t("Column('a', String, nullable=False, default='it\\'s')"),
        [
            "# For the rows that exist: new ones get it from the application.",
            "op.add_column('t', sa.Column('a', sa.String(), server_default=\"it's\", nullable=False))",
            "op.alter_column('t', 'a', server_default=None)",
        ],
        rows=ROWS,
    ),
    Case(
        "plain values of other types",
        BEFORE,
        _t(
            "Column('a', Boolean, nullable=False, default=False)",
            "Column('b', Enum('x', 'y', name='e'), nullable=False, default='y')",
            "Column('c', JSON, nullable=False, default={'a': 1})",
            "Column('d', Numeric(5, 2), nullable=False, default=1.5)",
            "Column('e', ARRAY(Text), nullable=False, default=['a'])",
            "Column('f', DateTime, nullable=False, default=func.now())",
        ),
        ["server_default=sa.text('false')", "server_default='y'", "# lint: allow clock because the model says so"],
        rows=ROWS,
    ),
    Case(
        "a nullable column needs no value",
        BEFORE,
        _t("Column('a', String, default=lambda: 'x')"),
        ["op.add_column('t', sa.Column('a', sa.String(), nullable=True))"],
        rows=ROWS,
    ),
    Case(
        "an identity and a serial column number the rows",
        "Table('t', m, Column('name', Text))",
        "Table('t', m, Column('name', Text), Column('a', Integer, Identity()))",
        rows="INSERT INTO t VALUES ('x'), ('y')",
    ),
    Case(
        "the domain has a default",
        f"declare(m, SQLObject(\"CREATE DOMAIN d AS text DEFAULT 'x'\"))\n{BEFORE}",
        f"declare(m, SQLObject(\"CREATE DOMAIN d AS text DEFAULT 'x'\"), "
        f"SQLObject('ALTER TABLE t ADD a d NOT NULL'))\n{BEFORE}",
        rows=ROWS,
    ),
    Case(
        "NULLs get the server default of a column that becomes NOT NULL",
        _t("Column('a', String)"),
        _t("Column('a', String, nullable=False, server_default='x')"),
        [
            "op.alter_column('t', 'a', server_default='x')",
            "# No row may hold NULL in a any more.",
            "UPDATE t SET a = 'x'::character varying WHERE a IS NULL",
            "op.alter_column('t', 'a', nullable=False)",
        ],
        rows=ROWS,
    ),
    Case(
        "NULLs get the plain value of Python",
        _t("Column('a', Integer)"),
        _t("Column('a', Integer, nullable=False, default=7)"),
        ["UPDATE t SET a = 7 WHERE a IS NULL", "nullable=False"],
        rows=ROWS,
    ),
    Case(
        "NULLs get a value of the new type",
        _t("Column('a', String)"),
        _t("Column('a', Integer, nullable=False, default=7)"),
        ["postgresql_using='a::integer'", "UPDATE", "nullable=False"],
        rows=ROWS,
    ),
)
def test_what_is_written_works_on_a_table_with_rows(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


TYPES = [
    *("smallint", "bigint", "numeric(5,2)", "real", "double precision", "boolean", "text", "varchar(3)", "char(3)"),
    *("bytea", "date", "timestamp", "timestamptz(0)", "time", "timetz", "interval", "uuid", "json", "jsonb", "money"),
    *("inet", "cidr", "macaddr", "macaddr8", "oid", "tsvector", "tsquery", "bit(3)", "varbit", "text[]", "point"),
    *("int4range", "tstzmultirange", "mood", "mood[]", "slug", "vector(3)", "halfvec(2)", "sparsevec(4)", "span"),
]
TYPES_MADE_BEFORE = """
CREATE EXTENSION vector;
CREATE TYPE mood AS ENUM ('it''s good', 'bad');
CREATE DOMAIN slug AS varchar(9);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE TABLE t (id int);
"""


def test_on_the_way_down_a_column_that_comes_back_gets_a_placeholder(transaction: Connection) -> None:
    columns = ", ".join(f"ADD c{number} {type_} NOT NULL" for number, type_ in enumerate(TYPES))
    without = by_sql(transaction, TYPES_MADE_BEFORE)
    before = by_sql(transaction, TYPES_MADE_BEFORE, f"ALTER TABLE t {columns}")
    transaction.exec_driver_sql(TYPES_MADE_BEFORE + ROWS)
    lines = plan(Context(without, before))
    assert str(lines[0]) == "# What c0 held is gone: the rows get a placeholder."
    run(transaction, lines)
    equal(read(transaction), before, lines)
    assert transaction.exec_driver_sql("SELECT count(*) FROM t").scalar() == 2


def test_what_refers_to_another_table_has_no_placeholder(transaction: Connection) -> None:
    tables = "CREATE TABLE u (id int PRIMARY KEY)", "CREATE TABLE t (id int)"
    without = by_sql(transaction, *tables)
    before = by_sql(transaction, *tables, "ALTER TABLE t ADD u_id int NOT NULL REFERENCES u")
    assert str(plan(Context(without, before))[0]).endswith(
        "nothing can stand in for it: this fails where there are rows."
    )


@cases(
    Case(
        "a key: the rows are numbered",
        "Table('t', m, Column('a', Integer, primary_key=True, autoincrement=False), Column('b', Text))",
        "Table('t', m, Column('b', Text))",
        [],
        ["# What a held is gone: the rows are numbered.", "UPDATE t SET a = numbered.n FROM", "op.create_primary_key"],
        rows="INSERT INTO t VALUES (1), (2)",
        both_ways=False,
    ),
    Case(
        "what is unique: the rows are numbered",
        "Table('t', m, Column('a', Text, nullable=False, unique=True), Column('b', Uuid, nullable=False, unique=True), "
        "Column('c', DateTime, nullable=False, unique=True), Column('d', Text))",
        "Table('t', m, Column('d', Text))",
        [],
        ["SET a = numbered.n::text FROM", "SET b = md5(numbered.n::text)::uuid FROM"],
        rows="INSERT INTO t SELECT n, gen_random_uuid(), now() + n * interval '1 day' FROM generate_series(1, 3) AS n",
        both_ways=False,
    ),
    Case(
        "NULLs that came meanwhile",
        _t("Column('a', Text, nullable=False)"),
        _t("Column('a', Text)"),
        ["op.alter_column('t', 'a', nullable=True)"],
        ["UPDATE t SET a = '' WHERE a IS NULL", "nullable=False"],
        rows="INSERT INTO t VALUES (1, 'x')",
        kept="SELECT * FROM t",
    ),
)
def test_the_way_down_works_on_a_table_with_rows(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("Column('a', Text, nullable=False)", "has no default"),
        ("Column('a', Text, nullable=False, default=lambda: 'x')", "is a function of Python"),
    ],
)
def test_a_column_of_which_the_models_say_nothing_is_refused_with_the_lines(
    transaction: Connection, column: str, words: str
) -> None:
    wanted = models(_t(column))
    before, after = by_models(transaction, models(BEFORE)), by_models(transaction, wanted)
    with pytest.raises(RequestRefused, match=words) as refused:
        plan(Context(before, after, wanted))
    choices = [line.split()[0] for line in refused.value.remedy.splitlines() if "=" in line]
    assert choices == [
        'server_default=text("...")',
        "nullable=True",
        'info={"no_rows":',
        "default=...",
    ]  # what old code can live with first
    assert "code that still runs" in refused.value.remedy


def test_nulls_of_which_the_models_say_nothing_are_refused_where_there_are_some(transaction: Connection) -> None:
    wanted = models("Table('t', m, Column('a', Text, nullable=False))")
    before, after = (by_sql(transaction, f"CREATE TABLE t (a text{end})") for end in ("", " NOT NULL"))
    transaction.exec_driver_sql("CREATE TABLE t (a text)")

    def planned() -> list[MigrateOperation]:
        nulls = hold_null(transaction, before, after)
        return plan(Context(before, after, wanted, nulls))

    assert [str(line) for line in planned()] == [
        "# Fails where a row holds NULL in a.",
        "op.alter_column('t', 'a', nullable=False)",
    ]
    transaction.exec_driver_sql("INSERT INTO t VALUES (NULL)")
    with pytest.raises(RequestRefused, match="rows hold NULL"):
        planned()


def test_a_new_table_may_have_any_default_in_python(transaction: Connection) -> None:
    assert prove(transaction, Case("new", "", _t("Column('a', Text, nullable=False, default=lambda: 'x')")))


@pytest.mark.parametrize(
    "after",
    [
        "Table('t', metadata, Column('id', Integer), Column('a', Text, nullable=False))",
        "Table('u', metadata, Column('id', Integer), Column('b', Text, nullable=False, info={'renamed_from': 'a'}),"
        " info={'renamed_from': 't'})",
    ],
    ids=["as it is called", "renamed with its table"],
)
def test_the_author_is_told_by_the_command(project: Project, database: str, after: str) -> None:
    imports = "from sqlalchemy import *\n"
    project.models(imports + "Table('t', metadata, Column('id', Integer), Column('a', Text))")
    project.alembic(database, "revision", "--autogenerate", "-m", "begin")
    project.alembic(database, "upgrade", "head")
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO t (id) VALUES (1)")
    project.models(imports + after)
    with pytest.raises(RequestRefused, match="is not to be NULL any more, but rows hold NULL"):
        project.alembic(database, "revision", "--autogenerate", "-m", "strict")
