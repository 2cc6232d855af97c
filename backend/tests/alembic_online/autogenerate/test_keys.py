"""Primary keys and unique constraints, named or not."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove
from tests.alembic_online.autogenerate.keyed_tables import PERIODS, A, added, periods, t, t_and_a


def referred(key: str, more: str = "") -> str:
    """A table with a key, and one that refers to it."""
    there = f'Table("there", m, Column("a", Integer, nullable=False), Column("b", Integer, nullable=False), {key})'
    here = f'Table("here", m, Column("a", Integer), ForeignKeyConstraint(["a"], ["there.a"], name="f"{more}))'
    return f"{there}\n{here}"


def temporal(key: str) -> str:
    """The same of periods."""
    columns = "r int4range NOT NULL, during daterange NOT NULL"
    refers = "FOREIGN KEY (r, PERIOD during) REFERENCES there (r, PERIOD during)"
    tables = (f"there ({columns}, CONSTRAINT {key})", f"here ({columns}, CONSTRAINT f {refers})")
    return "".join(f"declare(m, SQLObject('CREATE TABLE {table}'))\n" for table in tables)


@cases(
    Case(
        "comes",
        t(),
        t('PrimaryKeyConstraint("a", name="pk_t")'),
        ["op.create_primary_key(op.f('pk_t'), 't', ['a'])"],
        ["op.drop_constraint(op.f('pk_t'), 't', type_='primary')"],
    ),
    Case("comes without a name", t(), t('PrimaryKeyConstraint("a")'), ["op.f('t_pkey')"]),
    Case("of other columns", t('PrimaryKeyConstraint("a")'), t('PrimaryKeyConstraint("b")')),
    Case("in another order", t('PrimaryKeyConstraint("a", "b")'), t('PrimaryKeyConstraint("b", "a")'), ["['b', 'a']"]),
    Case("of one column more", t('PrimaryKeyConstraint("a")'), t('PrimaryKeyConstraint("a", "b")')),
    Case(
        "of a column that could be NULL",
        'Table("t", m, Column("a", Text))',
        'Table("t", m, Column("a", Text, primary_key=True))',
        ["op.alter_column(", "op.create_primary_key("],
    ),
    Case("renamed", t('PrimaryKeyConstraint("a", name="x")'), t('PrimaryKeyConstraint("a", name="y")')),
    Case(
        "deferrable",
        t(),
        t('PrimaryKeyConstraint("a", deferrable=True)'),
        ["ADD CONSTRAINT t_pkey PRIMARY KEY (a) DEFER"],
    ),
    Case(
        "made deferrable",
        "",
        t('PrimaryKeyConstraint("a", deferrable=True, initially="DEFERRED")'),
        ["initially='DEFERRED'"],
    ),
    Case(
        "with a comment",
        t('PrimaryKeyConstraint("a", name="k")'),
        t('PrimaryKeyConstraint("a", name="k", comment="key")'),
    ),
    Case(
        "of other columns than a foreign key refers to",
        'Table("a", m, Column("x", Text, primary_key=True), Column("y", Text, unique=True))\n'
        'Table("t", m, Column("x", ForeignKey("a.x")))',
        'Table("a", m, Column("x", Text, unique=True), Column("y", Text, primary_key=True))\n'
        'Table("t", m, Column("x", ForeignKey("a.x")))',
        down=["UPDATE a SET x = '' WHERE x IS NULL", "drop_constraint", "nullable=False", "create_primary_key"],
    ),
    Case(
        "changed while a foreign key refers to it",
        'Table("a", m, Column("x", Text, primary_key=True))\nTable("t", m, Column("x", ForeignKey("a.x")))',
        'Table("a", m, Column("x", Text), PrimaryKeyConstraint("x", deferrable=False, name="other"))\n'
        'Table("t", m, Column("x", ForeignKey("a.x")))',
        ["type_='foreignkey'", "type_='primary'", "op.create_primary_key(", "op.create_foreign_key("],
    ),
    Case("becomes unique", t('PrimaryKeyConstraint("a", name="k")'), t('UniqueConstraint("a", name="k")')),
    Case("including a column", t_and_a(), added("PRIMARY KEY (a) INCLUDE (c)"), ["PRIMARY KEY (a) INCLUDE (c)"]),
    Case(
        "with a fill factor",
        t('PrimaryKeyConstraint("a", name="k")'),
        added("PRIMARY KEY (a) WITH (fillfactor = 70)").replace(A, ""),
    ),
    Case("without overlaps", PERIODS, periods("PRIMARY KEY (r, during WITHOUT OVERLAPS)"), since=18),
)
def test_primary_keys(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


@cases(
    Case(
        "one comes", t(), t('UniqueConstraint("a", name="uq")'), ["op.create_unique_constraint(op.f('uq'), 't', ['a'])"]
    ),
    Case("without a name", t(), t('UniqueConstraint("a", "b")'), ["op.f('t_a_b_key')"]),
    Case("two of the same columns", t(), t('UniqueConstraint("a", name="u")', 'UniqueConstraint("a", name="v")')),
    Case("in another order", t('UniqueConstraint("a", "b", name="uq")'), t('UniqueConstraint("b", "a", name="uq")')),
    Case("NULLs are equal", t('UniqueConstraint("c")'), t('UniqueConstraint("c", postgresql_nulls_not_distinct=True)')),
    Case("made so that NULLs are equal", "", t('UniqueConstraint("c", postgresql_nulls_not_distinct=True)')),
    Case("deferrable", t('UniqueConstraint("c")'), t('UniqueConstraint("c", deferrable=True, initially="DEFERRED")')),
    Case("including a column", t(), t('UniqueConstraint("a", postgresql_include=["c"])'), ["UNIQUE (a) INCLUDE (c)"]),
    Case("with a comment", "", t('UniqueConstraint("a", name="k", comment="it\'s")'), ["COMMENT ON CONSTRAINT k ON"]),
    Case(
        "column and constraint at once",
        t(),
        t('Column("d", Text)', 'UniqueConstraint("d")'),
        ["op.add_col", "op.create_u"],
    ),
    Case("an index becomes a constraint", t('Index("u", "a", unique=True)'), t('UniqueConstraint("a", name="u")')),
    Case("without overlaps", PERIODS, periods("UNIQUE (r, during WITHOUT OVERLAPS)"), since=18),
    Case(
        "another one under a foreign key",
        referred('UniqueConstraint("a", name="u")'),
        referred('UniqueConstraint("a", name="v", postgresql_include=["b"])'),
        ["type_='unique'", "op.create_foreign_key("],
    ),
    Case(
        "becomes a primary key under a foreign key that changes",
        referred('UniqueConstraint("a", name="u")'),
        referred('PrimaryKeyConstraint("a", name="k")', ', ondelete="CASCADE"'),
        ["type_='unique'", "op.create_foreign_key("],
    ),
    Case(
        "an index under a foreign key becomes one",
        referred('Index("i", "a", unique=True)'),
        referred('UniqueConstraint("a", name="u", postgresql_include=["b"])'),
    ),
    Case(
        "a foreign key comes as a key goes",
        referred('UniqueConstraint("a", name="u")').partition("\n")[0],
        referred('UniqueConstraint("a", name="v", postgresql_include=["b"])'),
    ),
    Case(
        "a temporal key under a temporal foreign key",
        temporal("k PRIMARY KEY (r, during WITHOUT OVERLAPS)"),
        temporal("u UNIQUE (r, during WITHOUT OVERLAPS)"),
        since=18,
    ),
)
def test_unique_constraints(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
