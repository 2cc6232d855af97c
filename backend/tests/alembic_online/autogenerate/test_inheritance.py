"""Partitions and inheritance: what is done to a parent is not done to its children a second time."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove


def log(*more: str, parts: str = "", key: str = "RANGE (day)") -> str:
    """A partitioned table, and SQL that makes its partitions."""
    columns = ", ".join(['Column("day", Date, nullable=False)', *more])
    objects = "".join(f"SQLObject({part!r}), " for part in filter(None, parts.split(";")))
    return f'Table("log", m, {columns}, postgresql_partition_by={key!r})\ndeclare(m, {objects})'


Y25 = "CREATE TABLE log_25 PARTITION OF log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');"
REST = "CREATE TABLE log_rest PARTITION OF log DEFAULT;"
KEY = 'PrimaryKeyConstraint("day", "id")'
ID = 'Column("id", Text)'

IN_ONE = (
    "CREATE TRIGGER t BEFORE UPDATE ON log FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();"
    "ALTER TABLE log DISABLE TRIGGER t; ALTER TABLE log_25 ENABLE TRIGGER t"
)
OTHER_DEFAULT = "ALTER TABLE a_rest ALTER id SET DEFAULT 'y'"


@cases(
    Case("a partitioned table", "", log(), ["postgresql_partition_by='RANGE (day)'"], ["op.drop_table('log')"]),
    Case(
        "with a partition and a foreign key to it",
        "",
        log(parts=Y25, key="RANGE (day)").replace("nullable=False", "primary_key=True")
        + '\nTable("a", m, Column("day", ForeignKey("log.day", name="fk")))',
        down=["op.drop_table('a')", "op.drop_table('log_25')"],
    ),
    Case(
        "a stored generated column of a partitioned table",
        log(ID, parts=Y25),
        log(ID, 'Column("long", Integer, Computed("length(id)", persisted=True))', parts=Y25),
    ),
    Case("with partitions", "", log(parts=Y25 + REST), ["op.create_table('log_25'", "ATTACH PARTITION log_25"]),
    Case(
        "with a key, an index, a foreign key, checks and partitions",
        "",
        'Table("users", m, Column("id", Text, primary_key=True))\n'
        + log(
            'Column("id", ForeignKey("users.id"), index=True)', KEY, "CheckConstraint(\"id > ''\")", parts=Y25 + REST
        ),
    ),
    Case("a partition comes", log(ID, KEY, parts=REST), log(ID, KEY, parts=REST + Y25), ["op.create_table('log_25'"]),
    Case(
        "by list, of partitions of partitions",
        "",
        log(
            parts=Y25[:-1]
            + " PARTITION BY LIST (day);CREATE TABLE may PARTITION OF log_25 FOR VALUES IN ('2025-05-05')"
        ),
    ),
    Case(
        "by hash",
        "",
        log(parts="CREATE TABLE log_1 PARTITION OF log FOR VALUES WITH (MODULUS 2, REMAINDER 1)", key="HASH (day)"),
    ),
    Case(
        "another bound",
        log(ID, 'Index("ix", "id")', parts=Y25),
        log(ID, 'Index("ix", "id")', parts=Y25.replace("2026", "2027")),
        [
            "DETACH PARTITION log_25",
            "ATTACH PARTITION log_25 FOR VALUES FROM ('2025-01-01') TO ('2027-01-01')",
        ],
    ),
    Case(
        "detached",
        log(ID, KEY, parts=Y25),
        log(ID, KEY, parts="CREATE TABLE log_25 (day date NOT NULL, id text NOT NULL, PRIMARY KEY (day, id))"),
        ["DETACH PARTITION log_25"],
        ["ATTACH PARTITION log_25"],
    ),
    Case(
        "a column for all",
        log(parts=Y25 + REST),
        log('Column("note", String(20), server_default="it\'s", nullable=False)', parts=Y25 + REST),
        ["op.add_column('log', "],
        ["op.drop_column('log', 'note')"],
    ),
    Case(
        "a foreign key that refers to all",
        log(ID, KEY, parts=Y25 + REST),
        log(ID, KEY, parts=Y25 + REST) + '\nTable("notes", m, Column("day", Date), Column("id", Text),'
        ' ForeignKeyConstraint(["day", "id"], ["log.day", "log.id"]))',
    ),
    Case("a trigger that fires in one alone", log(ID, parts=Y25), log(ID, parts=Y25 + IN_ONE)),
    Case("a default for all", log(ID, parts=Y25), log('Column("id", Text, server_default="x")', parts=Y25)),
    Case(
        "a default for all but one",
        log(ID, parts=Y25 + REST),
        log(
            'Column("id", Text, server_default="x")', parts=Y25 + REST + "ALTER TABLE log_rest ALTER id SET DEFAULT 'y'"
        ),
    ),
    Case(
        "a default for all but one that is called before the others",
        log(ID, parts=REST.replace("log_rest", "a_rest")),
        log('Column("id", Text, server_default="x")', parts=REST.replace("log_rest", "a_rest") + OTHER_DEFAULT),
    ),
    Case(
        "attached with a column that both get",
        log(parts="CREATE TABLE a_25 (day date NOT NULL)"),
        log(ID, parts=Y25.replace("log_25", "a_25")),
    ),
    Case("NOT NULL for all", log(ID, parts=Y25), log('Column("id", Text, nullable=False)', parts=Y25)),
    Case("another type for all", log(ID, parts=Y25), log('Column("id", String(50))', parts=Y25)),
    Case(
        "an index for all",
        log(ID, parts=Y25 + REST),
        log(ID, 'Index("ix", "id", "day")', parts=Y25 + REST),
        ["op.create_index"],
    ),
    Case(
        "another index for all",
        log(ID, 'Index("ix", "id")', parts=Y25),
        log(ID, 'Index("ix", text("id DESC"))', parts=Y25),
    ),
    Case("a key for all", log('Column("id", Text, nullable=False)', parts=Y25), log(ID, KEY, parts=Y25)),
    Case("a check for all", log(ID, parts=Y25), log(ID, 'CheckConstraint("id > \'\'", name="ck")', parts=Y25)),
    Case(
        "another check for all",
        log(ID, 'CheckConstraint("id > \'\'", name="ck")', parts=Y25),
        log(ID, 'CheckConstraint("id <> \'\'", name="ck")', parts=Y25),
    ),
    Case(
        "a foreign key for all",
        'Table("users", m, Column("id", Text, primary_key=True))\n' + log(ID, parts=Y25 + REST),
        'Table("users", m, Column("id", Text, primary_key=True))\n'
        + log('Column("id", ForeignKey("users.id"))', parts=Y25 + REST),
    ),
    Case(
        "a trigger for all",
        log(parts=Y25 + "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'"),
        log(
            parts=Y25
            + "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END';"
            + "CREATE TRIGGER tg AFTER INSERT ON log FOR EACH ROW EXECUTE FUNCTION f()"
        ),
    ),
    Case(
        "a column of a partition alone has a comment and an index of its own",
        log(ID, parts=Y25),
        log(ID, parts=Y25 + "COMMENT ON COLUMN log_25.id IS 'x';CREATE INDEX ix_25 ON log_25 (id)"),
    ),
    Case("everything goes", log(ID, KEY, 'Index("ix", "id")', parts=Y25 + REST), ""),
)
def test_partitions(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


BASE = 'Table("base", m, Column("id", Integer), Column("a", Text), CheckConstraint("id > 0", name="ck"))\n'
CHILD = 'Table("child", m, Column("extra", Text), postgresql_inherits="base")\n'


@cases(
    Case("a child", BASE, BASE + CHILD, ["op.create_table('child', sa.Column('extra'", "postgresql_inherits="]),
    Case("parent and child", "", BASE + CHILD),
    Case(
        "a child with a column of the parent's",
        "",
        BASE + 'Table("child", m, Column("id", Integer), postgresql_inherits="base")',
    ),
    Case(
        "a child of two",
        "",
        BASE + 'Table("b2", m, Column("b", Text))\nTable("child", m, postgresql_inherits=("base", "b2"))',
    ),
    Case(
        "a parent in another schema",
        "declare(m, SQLObject('CREATE SCHEMA s'), SQLObject('CREATE TABLE s.base (a int)'))",
        "declare(m, SQLObject('CREATE SCHEMA s'), SQLObject('CREATE TABLE s.base (a int)'),"
        " SQLObject('CREATE TABLE s.child () INHERITS (s.base)'))",
    ),
    Case("the parent's column", BASE + CHILD, BASE.replace('Column("a"', 'Column("b", Text), Column("a"') + CHILD),
    Case("the parent's default", BASE + CHILD, BASE.replace('"a", Text', '"a", Text, server_default="x"') + CHILD),
    Case("the parent's check", BASE + CHILD, BASE.replace("id > 0", "id > 1") + CHILD),
    Case(
        "what a child has of its own",
        BASE + CHILD,
        BASE + CHILD + "declare(m, SQLObject(\"ALTER TABLE child ALTER a SET DEFAULT 'x', ALTER a SET NOT NULL\"))",
    ),
    Case(
        "made with what it has of its own",
        BASE,
        BASE + CHILD + "declare(m, SQLObject(\"ALTER TABLE child ALTER a SET DEFAULT 'x', ALTER a SET STATISTICS 7\"))",
    ),
    Case(
        "joined",
        BASE + 'Table("t", m, Column("id", Integer), Column("a", Text), CheckConstraint("id > 0", name="ck"))',
        BASE + 'Table("t", m, Column("id", Integer), Column("a", Text), CheckConstraint("id > 0", name="ck"))\n'
        'declare(m, SQLObject("ALTER TABLE t INHERIT base"))',
        ["ALTER TABLE t INHERIT base"],
        ["ALTER TABLE t NO INHERIT base"],
    ),
)
def test_inheritance(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
