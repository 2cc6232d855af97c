"""Columns: they come, go and change, with all that hangs on them."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove


def _t(*columns: str) -> str:
    """A table `t` of columns."""
    return f"Table('t', m, {', '.join(columns)})\n"


ID = "Column('id', Integer, primary_key=True)"
USERS = """
declare(m,
    SQLObject('CREATE VIEW v AS SELECT a FROM t'),
    SQLObject('CREATE VIEW w AS SELECT a + 1 AS b FROM v'),
    SQLObject('CREATE RULE r AS ON INSERT TO t WHERE NEW.a < 0 DO INSTEAD NOTHING'),
    SQLObject('CREATE POLICY p ON t USING (a > 0)'),
    SQLObject('CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$'),
    SQLObject('CREATE TRIGGER g BEFORE UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION f()'))
"""
SETTINGS = """
declare(m,
    SQLObject('ALTER TABLE t ALTER a SET STORAGE EXTERNAL'),
    SQLObject('ALTER TABLE t ALTER a SET STATISTICS 7'),
    SQLObject('ALTER TABLE t ALTER a SET (n_distinct = 5)'),
    SQLObject('ALTER TABLE t ALTER a SET COMPRESSION pglz'),
    SQLObject('GRANT SELECT (a) ON t TO PUBLIC'))
"""
ODD = """
declare(m, SQLObject('CREATE SCHEMA "Odd"'), SQLObject('CREATE TABLE "Odd"."a table" (id int{})'))
"""


@cases(
    Case(
        "a column comes",
        _t(ID),
        _t(ID, "Column('a', String(20), server_default='en', comment='what')"),
        ["op.add_column('t', sa.Column('a', sa.String(length=20), server_default='en', nullable=True, comment='what')"],
        ["op.drop_column('t', 'a')"],
    ),
    Case(
        "a column in another schema, with an odd name",
        ODD.format(""),
        ODD.format(', "order" text'),
        ["op.add_column('a table', sa.Column('order', sa.Text(), nullable=True), schema='Odd')"],
    ),
    Case(
        "type and default change together",
        _t("Column('a', Integer, server_default='1')"),
        _t("Column('a', Text, server_default='one')"),
        [
            "op.alter_column('t', 'a', server_default=None)",
            "op.alter_column('t', 'a', type_=sa.Text(), server_default='one')",
        ],
    ),
    Case(
        "a default is carried over where the type changes under it",
        _t("Column('a', String, server_default='1')"),
        _t("Column('a', Integer, server_default='1')"),
        ["server_default=None", "postgresql_using='a::integer'", "server_default=sa.text('1')"],
    ),
    Case(
        "a longer text keeps its default",
        _t("Column('a', String(5), server_default='x')"),
        _t("Column('a', String(50), server_default='x')"),
        ["op.alter_column('t', 'a', type_=sa.String(length=50))"],
    ),
    Case(
        "a type changes under indexes, checks and keys",
        _t("Column('a', String(5), primary_key=True)", "Column('b', Integer)", "CheckConstraint('b > 0')")
        + "Index('i', m.tables['t'].c.b, postgresql_where=text('b > 5'))\n"
        + "Table('u', m, Column('t_a', ForeignKey('t.a')))",
        _t("Column('a', String(50), primary_key=True)", "Column('b', BigInteger)", "CheckConstraint('b > 0')")
        + "Index('i', m.tables['t'].c.b, postgresql_where=text('b > 5'))\n"
        + "Table('u', m, Column('t_a', ForeignKey('t.a')))",
    ),
    Case(
        "a key changes to a type that is not comparable",
        _t("Column('a', Integer, primary_key=True)") + "Table('u', m, Column('t_a', ForeignKey('t.a')))",
        _t("Column('a', String, primary_key=True)") + "Table('u', m, Column('t_a', ForeignKey('t.a')))",
        ["op.drop_constraint", "op.alter_column", "op.alter_column", "op.create_foreign_key"],
    ),
    Case(
        "a type changes under a view of a view, a rule, a trigger, a policy and a generated column",
        _t("Column('a', Integer)", "Column('double', Integer, Computed('a * 2', persisted=True))") + USERS,
        _t("Column('a', BigInteger)", "Column('double', BigInteger, Computed('a * 2', persisted=True))") + USERS,
    ),
    Case(
        "a column changes in every way at once",
        _t("Column('a', Integer, nullable=False, server_default='1', comment='old')"),
        _t("Column('a', String(9, collation='C'), nullable=True, server_default=text('lower(\\'A\\')'), comment='new')")
        + SETTINGS,
    ),
    Case(
        "a new column has all that a column can have",
        _t(ID),
        _t(ID, "Column('a', Text(collation='C'), server_default='x', comment='it\\'s')") + SETTINGS,
    ),
    Case(
        "the storage stays when the type changes",
        _t("Column('a', String(5))") + "declare(m, SQLObject('ALTER TABLE t ALTER a SET STORAGE EXTERNAL'))",
        _t("Column('a', Text)") + "declare(m, SQLObject('ALTER TABLE t ALTER a SET STORAGE EXTERNAL'))",
        ["type_=sa.Text()", "SET STORAGE external"],
    ),
    Case(
        "a collation comes",
        _t("Column('a', Text)"),
        _t("Column('a', Text(collation='C'))"),
        ["op.alter_column('t', 'a', type_=sa.Text(collation='C'))"],
        ["op.alter_column('t', 'a', type_=sa.Text())"],
    ),
    Case(
        "one comes, one goes, one changes",
        _t("Column('a', Integer)", "Column('b', Text)"),
        _t("Column('a', Text)", "Column('c', Date)"),
        ["op.alter_column('t', 'a'", "op.add_column('t', sa.Column('c'", "op.drop_column('t', 'b')"],
    ),
    Case(
        "an Enum that is a text with a check",
        _t("Column('a', Enum('x', 'y', name='ck', native_enum=False, create_constraint=True, length=9))"),
        _t("Column('a', Enum('x', 'longer than it', name='ck', native_enum=False, create_constraint=True))"),
        ["op.drop_constraint", "type_=sa.String(length=14)", "op.create_check_constraint"],
    ),
    Case(
        "a text that only looks like a nextval of a sequence",
        _t("Column('a', Text)"),
        _t("Column('a', Text, server_default='nextval')"),
    ),
)
def test_column(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
