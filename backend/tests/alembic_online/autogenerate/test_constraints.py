"""Foreign keys, checks and exclusion constraints, named or not."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove
from tests.alembic_online.autogenerate.keyed_tables import PERIODS, added, periods, t, t_and_a

REFERENCES = "FOREIGN KEY (b, c) REFERENCES a"


def fk(*options: str) -> str:
    return t_and_a(f'ForeignKeyConstraint(["b", "c"], ["a.x", "a.y"], name="fk", {", ".join(options)})')


LINE = "op.create_foreign_key(op.f('fk'), 't', 'a', ['b', 'c'], ['x', 'y']"


@cases(
    Case("one comes", t_and_a(), fk(), [LINE + ")"], ["op.drop_constraint(op.f('fk'), 't', type_='foreignkey')"]),
    Case(
        "cascade",
        fk(),
        fk('ondelete="CASCADE"', 'onupdate="SET NULL"'),
        [LINE, "onupdate='SET NULL', ondelete='CASCADE'"],
    ),
    Case("restrict", fk('ondelete="RESTRICT"'), fk('ondelete="SET DEFAULT"', 'onupdate="RESTRICT"')),
    Case(
        "SET NULL of one column",
        fk(),
        added("FOREIGN KEY (b, c) REFERENCES a ON DELETE SET NULL (c)"),
        ["SET NULL (c)"],
    ),
    Case(
        "deferrable", fk(), fk("deferrable=True"), ["ALTER CONSTRAINT fk DEFERRABLE INITIALLY IMM"], ["NOT DEFERRABLE"]
    ),
    Case("deferred", fk("deferrable=True"), fk("deferrable=True", 'initially="DEFERRED"'), ["INITIALLY DEFERRED"]),
    Case("made deferred", "", fk("deferrable=True", 'initially="DEFERRED"'), ["deferrable=True, initially='DEFERRED'"]),
    Case("match full", fk(), fk('match="FULL"'), ["match='FULL'"]),
    Case("made with match full", "", fk('match="FULL"', 'ondelete="CASCADE"')),
    Case("not valid", t_and_a(), added(f"{REFERENCES} NOT VALID"), ["postgresql_not_valid=True"]),
    Case(
        "validated",
        added(f"{REFERENCES} NOT VALID"),
        added(REFERENCES),
        ["VALIDATE CONSTRAINT k"],
        ["type_='foreignkey'"],
    ),
    Case(
        "of periods",
        PERIODS + '\nTable("u", m, Column("r", INT4RANGE), Column("during", INT4RANGE))',
        periods(
            "UNIQUE (r, during WITHOUT OVERLAPS)",
            "ALTER TABLE u ADD FOREIGN KEY (r, PERIOD during) REFERENCES t (r, PERIOD during)",
        )
        + '\nTable("u", m, Column("r", INT4RANGE), Column("during", INT4RANGE))',
        ["PERIOD"],
        since=18,
    ),
    Case("not enforced", added(REFERENCES), added(f"{REFERENCES} NOT ENFORCED"), since=18),
    Case("to itself", t('UniqueConstraint("a")'), t('UniqueConstraint("a")', 'ForeignKeyConstraint(["b"], ["t.a"])')),
    Case(
        "across schemas",
        "declare(m, SQLObject('CREATE SCHEMA s'))\n" + t('UniqueConstraint("a")'),
        "declare(m, SQLObject('CREATE SCHEMA s'))\n" + t('UniqueConstraint("a")') + "\n"
        'Table("u", m, Column("a", ForeignKey("t.a")), Column("b", Text, primary_key=True), schema="s")\n'
        'Table("v", m, Column("b", ForeignKey("s.u.b")), schema="s")',
    ),
    Case(
        "across schemas, as an operation",
        "declare(m, SQLObject('CREATE SCHEMA s'))\nTable('u', m, Column('b', Text, primary_key=True), schema='s')\n"
        + t(),
        "declare(m, SQLObject('CREATE SCHEMA s'))\nTable('u', m, Column('b', Text, primary_key=True), schema='s')\n"
        + t('ForeignKeyConstraint(["a"], ["s.u.b"])'),
        ["referent_schema='s'"],
    ),
    Case(
        "to another table",
        fk(),
        "Table('z', m, Column('x', Text, primary_key=True))\n"
        + t_and_a('ForeignKeyConstraint(["b"], ["z.x"], name="fk")'),
    ),
    Case("with a comment", t_and_a(), fk('comment="whose"'), ["COMMENT ON CONSTRAINT fk ON t IS 'whose'"]),
)
def test_foreign_keys(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


@cases(
    Case(
        "one comes",
        t(),
        t("CheckConstraint(\"a <> ''\", name='ck')"),
        ["op.create_check_constraint(op.f('ck'), 't', sa.text("],
    ),
    Case("without a name", t(), t("CheckConstraint(\"a <> ''\")"), ["op.f('t_a_check')"]),
    Case(
        "two without a name",
        t(),
        t("CheckConstraint(\"a <> ''\")", "CheckConstraint(\"a <> 'x'\")"),
        ["op.f('t_a_check1')"],
    ),
    Case("of two columns", "", t('CheckConstraint("a < b")')),
    Case("of a column", "", 'Table("t", m, Column("a", Integer, CheckConstraint("a > 0")))'),
    Case("another condition", t('CheckConstraint("a < b", name="ck")'), t('CheckConstraint("a <= b", name="ck")')),
    Case("of an expression of SQLAlchemy's", t(), t('CheckConstraint(column("c").in_(["x", "it\'s"]), name="ck")')),
    Case("a function call", t(), t('CheckConstraint("starts_with(a, b)")'), ["sa.text('starts_with(a, b)')"]),
    Case("with a regular expression", t(), t(r"""CheckConstraint(r"a ~ '^\d{2}\:\w+$'")""")),
    Case("not valid", t_and_a(), added("CHECK (a < b) NOT VALID"), ["postgresql_not_valid=True"]),
    Case("validated", added("CHECK (a < b) NOT VALID"), added("CHECK (a < b)"), ["VALIDATE CONSTRAINT k"]),
    Case(
        "not inherited",
        t_and_a('CheckConstraint("a < b", name="k")'),
        added("CHECK (a < b) NO INHERIT"),
        ["NO INHERIT"],
    ),
    Case("not enforced", t_and_a('CheckConstraint("a < b", name="k")'), added("CHECK (a < b) NOT ENFORCED"), since=18),
    Case(
        "an enum without a type",
        t(),
        t('Column("e", Enum("x", "y", native_enum=False, create_constraint=True, name="e"))'),
    ),
    Case("a boolean's", "", t('Column("e", Boolean(create_constraint=True, name="e"))')),
    Case("with a comment", "", t("CheckConstraint('a < b', name='ck', comment='order')")),
    Case(
        "with a function of ours",
        t(),
        "declare(m, SQLObject('CREATE FUNCTION ok(text) RETURNS bool IMMUTABLE RETURN $1 > 0::text', True))\n"
        + t("CheckConstraint('ok(a)')"),
        ["CREATE FUNCTION", "op.create_check_constraint("],
        ["op.drop_constraint(", "DROP FUNCTION"],
    ),
    Case(
        "in the words of the models",
        'Table("t", m, Column("a", Text), Column("n", Integer))',
        'Table("t", m, Column("a", Text), Column("n", Integer),'
        ' CheckConstraint("a IN (\'x\', \'y\')", name="ck"), CheckConstraint("n > 0 and n < 9"))',
        ["sa.text(\"a IN ('x', 'y')\")", "sa.text('n > 0 and n < 9')"],
    ),
)
def test_checks(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


def excluding(*elements: str, more: str = "") -> str:
    constraint = f'ExcludeConstraint({", ".join(elements)}, name="ex"{more})'
    return f'Table("t", m, Column("r", INT4RANGE), Column("b", INT4RANGE), {constraint})'


@cases(
    Case(
        "one comes",
        'Table("t", m, Column("r", INT4RANGE), Column("b", INT4RANGE))',
        excluding('("r", "&&")', '("b", "=")'),
        ["op.create_exclude_constraint(op.f('ex'), 't', ('r', '&&'), ('b', '='), using='gist')"],
        ["op.drop_constraint(op.f('ex'), 't')"],
    ),
    Case("with a table", "", excluding('("r", "&&")', more=', where=text("b IS NOT NULL"), deferrable=True')),
    Case("another operator", excluding('("r", "&&")'), excluding('("r", "=")')),
    Case("another condition", excluding('("r", "&&")'), excluding('("r", "&&")', more=', where=text("b IS NOT NULL")')),
    Case(
        "deferrable", excluding('("r", "&&")'), excluding('("r", "&&")', more=', deferrable=True, initially="DEFERRED"')
    ),
    Case("of an expression", excluding('("r", "&&")'), excluding('(text("(r * b)"), "&&")')),
    Case("by another method", excluding('("r", "&&")'), excluding('("r", "&&")', more=', using="spgist"')),
)
def test_exclusions(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
