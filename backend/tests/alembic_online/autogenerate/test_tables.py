"""Tables: added, dropped, with what hangs on them, and what is said of a table as a whole."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove

PARENTS = 'Table("a", m, Column("id", Text, primary_key=True)); '
CIRCLE = """
Table("a", m, Column("id", Text, primary_key=True), Column("b_id", ForeignKey("b.id", name="fk_a_b")))
Table("b", m, Column("id", Text, primary_key=True), Column("a_id", ForeignKey("a.id", name="fk_b_a")))
"""


@cases(
    Case(
        "one comes",
        "",
        'Table("t", m, Column("id", Text, primary_key=True))',
        ["op.create_table('t', sa.Column('id', sa.Text(), nullable=False), ", "name=op.f('t_pkey')"],
        ["op.drop_table('t')"],
    ),
    Case("one without a column", "", 'Table("t", m)', ["op.create_table('t')"]),
    Case("one without a primary key", "", 'Table("t", m, Column("a", Text))'),
    Case(
        "with constraints that nobody named",
        "",
        PARENTS + 'Table("t", m, Column("id", Text, primary_key=True), Column("a", ForeignKey("a.id")),'
        ' Column("b", Text, unique=True), CheckConstraint("length(b) > 2"), CheckConstraint("b <> \'x\'"))',
    ),
    Case(
        "with a naming convention, which names nothing twice",
        "",
        'm.naming_convention = {"ck": "ck_%(table_name)s_%(constraint_name)s", "pk": "pk_%(table_name)s",'
        ' "uq": "uq_%(table_name)s_%(column_0_N_name)s", "fk": "fk_%(table_name)s_%(column_0_N_name)s",'
        ' "ix": "ix_%(table_name)s_%(column_0_N_name)s"}\n'
        + PARENTS
        + 'Table("t", m, Column("a", ForeignKey("a.id"), index=True), Column("b", Text, unique=True),'
        ' CheckConstraint("length(b) > 2", name="long"))',
        ["op.f('ck_t_long')", "op.f('fk_t_a')", "op.f('ix_t_a')"],
    ),
    Case(
        "parents before children, whatever they are called",
        "",
        'Table("a", m, Column("id", Text, primary_key=True), Column("z_id", ForeignKey("z.id")))\n'
        'Table("z", m, Column("id", Text, primary_key=True))',
        ["op.create_table('z'", "op.create_table('a'"],
        ["op.drop_table('a')", "op.drop_table('z')"],
    ),
    Case(
        "a circle of foreign keys",
        "",
        CIRCLE,
        ["op.create_table('a'", "op.create_table('b'", "op.create_foreign_key("],
        ["op.drop_constraint(", "op.drop_table('b')"],
    ),
    Case("a circle is closed", CIRCLE.replace(', ForeignKey("a.id", name="fk_b_a")', ", Text"), CIRCLE),
    Case(
        "a table that refers to itself",
        "",
        'Table("t", m, Column("id", Text, primary_key=True), Column("parent_id", ForeignKey("t.id")))',
    ),
    Case(
        "an association table",
        PARENTS + 'Table("b", m, Column("id", Text, primary_key=True))',
        PARENTS + 'Table("b", m, Column("id", Text, primary_key=True))\n'
        'Table("a_b", m, Column("a_id", ForeignKey("a.id", ondelete="CASCADE"), primary_key=True),'
        ' Column("b_id", ForeignKey("b.id", ondelete="CASCADE"), primary_key=True))',
    ),
    Case(
        "one goes with its indexes, constraints and the foreign key that led to it",
        PARENTS + 'Table("t", m, Column("id", Text, primary_key=True), Column("a_id", ForeignKey("a.id"), index=True))',
        'Table("t", m, Column("id", Text, primary_key=True), Column("a_id", Text, index=True))',
        ["op.drop_constraint(op.f('t_a_id_fkey'), 't', type_='foreignkey')", "op.drop_table('a')"],
        ["op.create_table('a'", "op.create_foreign_key(op.f('t_a_id_fkey'), 't', 'a', ['a_id'], ['id'])"],
    ),
    Case(
        "one takes the place of another in one go",
        'Table("t", m, Column("id", Text, primary_key=True), Index("ix", "id"))',
        'Table("u", m, Column("id", Text, primary_key=True), Index("ix", "id"))',
        ["op.drop_table('t')", "op.create_index(op.f('ix'), 'u'"],
    ),
    Case(
        "in several schemas, of one name",
        'declare(m, SQLObject("CREATE SCHEMA archive"))',
        'declare(m, SQLObject("CREATE SCHEMA archive"))\n'
        'Table("t", m, Column("id", Text, primary_key=True))\n'
        'Table("t", m, Column("id", Text, primary_key=True), Column("t_id", ForeignKey("t.id")), schema="archive")',
        ["op.create_table('t', sa", "op.create_table('t', sa", "schema='archive'"],
    ),
    Case(
        "in a schema that comes with it",
        "",
        'declare(m, SQLObject("CREATE SCHEMA archive"), SQLObject("COMMENT ON SCHEMA archive IS \'old\'"))\n'
        'Table("t", m, Column("id", Text, primary_key=True), schema="archive")',
        ["CREATE SCHEMA archive", "COMMENT ON SCHEMA archive IS 'old'", "op.create_table('t'"],
        ["op.drop_table('t', schema='archive')", "DROP SCHEMA archive"],
    ),
)
def test_tables_come_and_go(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


ODD = 'Table("Odd table", m, Column("The %% id", Text, primary_key=True), Column("select", Text, index=True),'
LONG = "x" * 63


@cases(
    Case(
        "mixed case, spaces, percent signs, reserved words",
        "",
        ODD + ' Column("a:b", Text), Column("a\\\\b", Text), UniqueConstraint("a:b", "select", name="Odd: %%"),'
        ' CheckConstraint("length(\\"a:b\\") > 0", name="ck %%"))',
    ),
    Case(
        "a quote in every name",
        "",
        """Table('say "t"', m, Column('id "1"', Text, primary_key=True), Column("it's", Text, index=True),"""
        """ ForeignKeyConstraint(["it's"], ['say "t".id "1"'], name='fk "1"'))""",
    ),
    Case(
        "a dot in a name",
        "",
        'Table("a.b", m, Column("c.d", Text, primary_key=True), Column("e.f", Text, unique=True))',
    ),
    Case(
        "names of 63 characters",
        "",
        f'Table("{LONG}", m, Column("{LONG}", Text, primary_key=True), Index("i{LONG[1:]}", "{LONG}"),'
        f' UniqueConstraint("{LONG}", name="u{LONG[1:]}"))',
    ),
    Case(
        "percent signs",
        "",
        'Table("p%c", m, Column("a%b", Integer, primary_key=True), Column("c", Integer, Sequence("s%q"), index=True))',
        ['CREATE SEQUENCE "s%q"'],
    ),
    Case("a column of an odd table", ODD.rstrip(",") + ")", ODD + ' Column("a,b", Text, comment="100 %% of \'it\'"))'),
    Case(
        "colons, percent signs and backslashes in checks",
        'Table("t", m, Column("a", Text))',
        'Table("t", m, Column("a", Text), CheckConstraint(r"a ~ \'^[[\\:alpha\\:]]+\\d%$\'", name="ck"),'
        ' CheckConstraint("a <> \'\\\\:x %\'", name="cx"))',
    ),
)
def test_names_and_texts_of_every_sort(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


PLAIN = 'Table("t", m, Column("id", Text, primary_key=True))'


def table(option: str) -> str:
    return PLAIN[:-1] + f", {option})"


SET = "ALTER TABLE t SET (fillfactor = 70, toast.autovacuum_enabled = off)"
GRANTS = "GRANT SELECT, INSERT ON t TO pg_monitor; GRANT UPDATE ON t TO PUBLIC; REVOKE DELETE ON t FROM CURRENT_USER"


def declared(sql: str) -> str:
    return f"{PLAIN}\ndeclare(m, SQLObject({sql!r}))"


@cases(
    Case(
        "a comment comes",
        PLAIN,
        table('comment="it\'s"'),
        ["op.create_table_comment('t', \"it's\""],
        ["op.drop_table_comm"],
    ),
    Case("a comment changes", table("comment='a'"), table("comment='b'"), ["op.create_table_comment('t', 'b', "]),
    Case("with a comment", "", table("comment='a'"), ["comment='a')"]),
    Case("unlogged", PLAIN, table("prefixes=['UNLOGGED']"), ["ALTER TABLE t SET UNLOGGED"], ["SET LOGGED"]),
    Case("made unlogged", "", table("prefixes=['UNLOGGED']"), ["prefixes=['UNLOGGED']"]),
    Case("storage parameters", PLAIN, declared(SET)),
    Case("with storage parameters", "", declared(SET)),
    Case(
        "a storage parameter changes",
        declared("ALTER TABLE t SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.5)"),
        declared("ALTER TABLE t SET (fillfactor = 80)"),
        ["SET (fillfactor = 80)", "RESET (autovacuum_vacuum_scale_factor)"],
    ),
    Case(
        "replica identity",
        PLAIN,
        declared("ALTER TABLE t REPLICA IDENTITY FULL"),
        ["IDENTITY FULL"],
        ["IDENTITY DEFAULT"],
    ),
    Case("replica identity by an index", PLAIN, declared("ALTER TABLE t REPLICA IDENTITY USING INDEX t_pkey")),
    Case("with replica identity by an index", "", declared("ALTER TABLE t REPLICA IDENTITY USING INDEX t_pkey")),
    Case(
        "row security, forced",
        PLAIN,
        declared("ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"),
        ["ENABLE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY"],
        ["DISABLE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY"],
    ),
    Case("with row security", "", declared("ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")),
    Case("clustered", PLAIN, declared("ALTER TABLE t CLUSTER ON t_pkey"), ["CLUSTER ON t_pkey"], ["WITHOUT CLUSTER"]),
    Case(
        "granted",
        PLAIN,
        declared(
            "GRANT SELECT, INSERT ON t TO pg_monitor; GRANT UPDATE ON t TO PUBLIC; REVOKE DELETE ON t FROM CURRENT_USER"
        ),
        ["REVOKE DELETE ON TABLE t FROM CURRENT_USER", "GRANT INSERT, SELECT ON TABLE t TO pg_monitor"],
        ["GRANT DELETE ON TABLE t TO CURRENT_USER", "REVOKE INSERT, SELECT ON TABLE t FROM pg_monitor"],
    ),
    Case(
        "made and granted",
        "",
        declared("GRANT SELECT ON t TO pg_monitor WITH GRANT OPTION; GRANT SELECT (id) ON t TO PUBLIC"),
    ),
    Case(
        "a grant option is taken back",
        declared("GRANT SELECT ON t TO pg_monitor WITH GRANT OPTION"),
        declared("GRANT SELECT ON t TO pg_monitor"),
        ["REVOKE GRANT OPTION FOR SELECT ON TABLE t FROM pg_monitor"],
    ),
    Case(
        "of a type",
        "declare(m, SQLObject('CREATE TYPE pair AS (a int)'))\nTable('p', m, Column('a', Integer))",
        "declare(m, SQLObject('CREATE TYPE pair AS (a int)'), SQLObject('ALTER TABLE p OF pair'))\n"
        "Table('p', m, Column('a', Integer))",
        ["ALTER TABLE p OF pair"],
        ["ALTER TABLE p NOT OF"],
    ),
    Case(
        "another access method",
        "declare(m, SQLObject('CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler', True))\n" + PLAIN,
        "declare(m, SQLObject('CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler', True))\n"
        + table("postgresql_using='heap2'"),
        ["SET ACCESS METHOD heap2"],
    ),
)
def test_what_is_said_of_a_table(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
