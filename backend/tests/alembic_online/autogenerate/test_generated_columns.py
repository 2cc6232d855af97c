"""Generated columns: they come, go and change, to and from plain ones."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove


def _t(*columns: str) -> str:
    """A table `t` of columns."""
    return f"Table('t', m, {', '.join(columns)})\n"


VIEW_OF_B = "declare(m, SQLObject('CREATE VIEW v AS SELECT b FROM t'))"
GENERATED = "Column('b', Integer, Computed('{}', persisted={}))"

TEXT_OF_A = "Column('c', Text, Computed('a::text', persisted=True))"
TWO = (
    _t("Column('a', Integer)", GENERATED.format("a * 2", True), TEXT_OF_A)
    + VIEW_OF_B
    + "\nIndex('i', m.tables['t'].c.b)"
)


@cases(
    Case(
        "a generated column comes",
        _t("Column('a', Integer)"),
        _t("Column('a', Integer)", GENERATED.format("a * 2", True)),
        ["op.add_column('t', sa.Column('b', sa.Integer(), sa.Computed(sa.text('(a * 2)'), persisted=True)"],
    ),
    Case(
        "one of a text with a colon",
        _t("Column('a', Text)"),
        _t("Column('a', Text)", "Column('b', Text, Computed(\"a || ' :x'\", persisted=True))"),
    ),
    Case(
        "its expression changes",
        _t("Column('a', Integer)", GENERATED.format("a * 2", True)) + "Index('i', m.tables['t'].c.b)",
        _t("Column('a', Integer)", GENERATED.format("a * 3", True)) + "Index('i', m.tables['t'].c.b)",
        rows="INSERT INTO t VALUES (1)",
        kept="SELECT a FROM t",
    ),
    Case(
        "its type changes",
        _t("Column('a', Integer)", GENERATED.format("a * 2", True)),
        _t("Column('a', Integer)", GENERATED.format("a * 2", True).replace("Integer", "BigInteger")),
    ),
    Case(
        "the type of the column that it reads changes",
        _t("Column('a', Integer)", GENERATED.format("a * 2", True), "Column('c', Text)"),
        _t(
            "Column('a', BigInteger)",
            GENERATED.format("a * 2", True).replace("Integer", "BigInteger"),
            "Column('c', Text)",
        ),
        ["op.execute('ALTER TABLE t DROP COLUMN b, ALTER COLUMN a TYPE bigint, ADD COLUMN b bigint GENERATED"],
        ["op.execute('ALTER TABLE t DROP COLUMN b, ALTER COLUMN a TYPE integer, ADD COLUMN b integer GENERATED"],
        rows="INSERT INTO t VALUES (1)",
        kept="SELECT a, b FROM t",
    ),
    Case(
        "the type of the column that two of them read changes, under an index and a view",
        TWO,
        TWO.replace("Integer", "BigInteger", 1),
        ["ALTER TABLE t DROP COLUMN b, DROP COLUMN c, ALTER COLUMN a TYPE bigint, ADD COLUMN b"],
    ),
    Case(
        "it becomes a plain column that keeps its values",
        _t("Column('a', Integer)", GENERATED.format("a * 2", True)),
        _t("Column('a', Integer)", "Column('b', Integer)"),
        ["DROP EXPRESSION"],
        ["# What b holds is lost: it is computed from now on.", "op.drop_column", "op.add_column"],
        rows="INSERT INTO t VALUES (1)",
        kept="SELECT a, b FROM t",
    ),
    Case(
        "a plain column becomes a generated one, under a view",
        _t("Column('a', Integer)", "Column('b', Integer)") + VIEW_OF_B,
        _t("Column('a', Integer)", GENERATED.format("a * 2", True)) + VIEW_OF_B,
        ["DROP VIEW", "op.drop_column('t', 'b')", "op.add_column('t', sa.Column('b'", "CREATE VIEW"],
    ),
    Case(
        "a virtual one becomes a plain one that keeps its values",
        _t("Column('a', Integer)", GENERATED.format("a * 2", False)),
        _t("Column('a', Integer)", "Column('b', Integer, nullable=False)"),
        ["op.drop_column", "op.add_column", "UPDATE t SET b = ((a * 2))", "nullable=False"],
        rows="INSERT INTO t VALUES (1)",
        kept="SELECT a, b FROM t",
        since=18,
    ),
    Case(
        "a stored one becomes a virtual one",
        _t("Column('a', Integer)", GENERATED.format("a * 2", True)),
        _t("Column('a', Integer)", GENERATED.format("a * 2", False)),
        since=18,
    ),
)
def test_generated_column(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
