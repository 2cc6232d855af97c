"""A revision a case, with the rules that it breaks.

`{t}` is a table of its own: bigint id, text a, int n, double precision at;
`{t}_ref` refers to nothing yet and has a bigint `t_id`, an int `small_id`, a timestamp `day` and a generated `twice`;
`{t}_view` is a view of the first.
"""

from dataclasses import dataclass

TABLE = "CREATE TABLE {t} (id bigint CONSTRAINT pk_{t} PRIMARY KEY, a text, n int, at double precision)"
REFERRING = (
    "CREATE TABLE {t}_ref (id bigint CONSTRAINT pk_{t}_ref PRIMARY KEY, t_id bigint, small_id int,"
    " day timestamp, twice bigint GENERATED ALWAYS AS (id * 2) STORED);"
    "CREATE INDEX ix_{t}_ref ON {t}_ref (t_id); CREATE INDEX ix2_{t}_ref ON {t}_ref (small_id)"
)
VIEW = "CREATE VIEW {t}_view AS SELECT id FROM {t}"
ADD = 'op.add_column("{t}", sa.Column("b", sa.Text))'
DROP = 'op.drop_column("{t}", "b")'
REFERS = 'op.create_foreign_key("fk_{t}", "{t}_ref", "{t}", ["t_id"], ["id"])'
NO_REFERENCE = 'op.drop_constraint("fk_{t}", "{t}_ref", type_="foreignkey")'


@dataclass(frozen=True)
class Case:
    """One revision."""

    name: str
    breaks: str
    """The codes of the rules, by space; empty for a sound one."""
    upgrade: str
    downgrade: str = "pass"
    message: str = "show the case to lint"
    top: str = ""
    """Lines before upgrade()."""

    @property
    def tables(self) -> str:
        """SQL for what it is about: the fewer tables there are, the sooner they are read."""
        code = self.upgrade + self.downgrade
        return "; ".join([TABLE, *([REFERRING] if "_ref" in code else []), *([VIEW] if "_view" in code else [])])


def data(name: str, breaks: str, sql: str, top: str = "") -> Case:
    """Rows change, and there is nothing to take back."""
    return Case(name, breaks, f'op.execute("{sql}")', '"""The former values are not known."""', top=top)


def raw(name: str, breaks: str, up: str, down: str) -> Case:
    """SQL both ways."""
    return Case(name, breaks, f'op.execute("{up}")', f'op.execute("{down}")')


CASES = (
    Case("a way back that raises", "downgrade runs", ADD, "raise NotImplementedError"),
    Case("a column is added", "", ADD, DROP),
    Case("an index is made", "", 'op.create_index("ix_{t}", "{t}", ["a"])', 'op.drop_index("ix_{t}")'),
    Case(
        "a key is missed while rows are changed",
        "comes-back",
        'op.drop_constraint("pk_{t}", "{t}")\n'
        '    op.execute("UPDATE {t} SET id = -id WHERE id > 1")\n'
        '    op.create_primary_key("pk_{t}", "{t}", ["id"])',
        '"""Nothing of the schema is another."""',
    ),
    Case(
        "a check and a view give way to a type",
        "",
        'op.execute("DROP VIEW {t}_view")\n'
        '    op.alter_column("{t}", "n", type_=sa.BigInteger())\n'
        '    op.execute("CREATE VIEW {t}_view AS SELECT id FROM {t}")',
        'op.alter_column("{t}", "n", type_=sa.Integer())',
    ),
    raw("an index is made by hand", "", "CREATE INDEX ix_{t} ON {t} (a)", "DROP INDEX ix_{t}"),
    Case("a foreign key is made", "", REFERS, NO_REFERENCE),
    Case(
        "a type is changed online",
        "",
        *(f'op.alter_column("{{t}}", "n", type_=sa.{kind}())' for kind in ("BigInteger", "Integer")),
    ),
    Case(
        "NOT NULL is set online",
        "",
        *(f'op.alter_column("{{t}}", "n", nullable={nullable})' for nullable in (False, True)),
    ),
    # blocking
    raw(
        "a type is changed with another action",
        "blocking",
        "ALTER TABLE {t} ALTER n TYPE bigint, ALTER a SET STORAGE MAIN",
        "ALTER TABLE {t} ALTER n TYPE int, ALTER a SET STORAGE EXTENDED",
    ),
    raw(
        "a volatile default",
        "blocking",
        "ALTER TABLE {t} ADD b uuid DEFAULT gen_random_uuid(), ADD c int",
        "ALTER TABLE {t} DROP b, DROP c",
    ),
    raw(
        "two constraints in one statement",
        "blocking",
        "ALTER TABLE {t} ADD CONSTRAINT c1 CHECK (n > 0), ADD CONSTRAINT c2 CHECK (n < 9)",
        "ALTER TABLE {t} DROP CONSTRAINT c1, DROP CONSTRAINT c2",
    ),
    Case(
        "validated in a transaction of its own, as the toolkit does",
        "",
        'op.execute("ALTER TABLE {t} ADD CONSTRAINT c CHECK (n > 0) NOT VALID");'
        'op.execute("ALTER TABLE {t} VALIDATE CONSTRAINT c")',
        'op.drop_constraint("c", "{t}")',
    ),
    raw(
        "an index in a DO block", "blocking", "DO $$ BEGIN CREATE INDEX ix_{t} ON {t} (a); END $$", "DROP INDEX ix_{t}"
    ),
    raw(
        "validated under the lock that added it",
        "blocking",
        "DO $$ BEGIN ALTER TABLE {t} ADD CONSTRAINT c CHECK (n > 0) NOT VALID;"
        " ALTER TABLE {t} VALIDATE CONSTRAINT c; END $$",
        "ALTER TABLE {t} DROP CONSTRAINT c",
    ),
    data("a table is clustered", "blocking undo", "CLUSTER {t} USING pk_{t}"),
    data("an index is rebuilt", "blocking", "REINDEX TABLE {t}"),
    Case(
        "directly, and it says why",
        "",
        'op.create_index("ix_{t}", "{t}", ["a"])',
        'op.drop_index("ix_{t}")',
        top='direct = {{"{t}": "the shop is closed"}}',
    ),
    # locks and rows
    Case(
        "two tables are changed",
        "several-locks one-change still-mapped",
        ADD + '; op.drop_column("{t}_ref", "small_id")' + "  # lint: allow data-loss because it is a test",
        DROP
        + '; op.add_column("{t}_ref", sa.Column("small_id", sa.Integer));'
        + 'op.create_index("ix2_{t}_ref", "{t}_ref", ["small_id"])',
    ),
    data("every row is changed", "every-row", "UPDATE {t} SET n = 1"),
    data("some rows are changed", "", "UPDATE {t} SET n = 1 WHERE n IS NULL"),
    Case("a backfill", "", 'op.backfill("{t}", {{"n": "1"}}, where="n IS NULL")', '"""Nothing to take back."""'),
    Case(
        "NULLs get a value in a column that becomes NOT NULL",
        "",
        'op.execute("UPDATE {t} SET n = 0 WHERE n IS NULL"); op.alter_column("{t}", "n", nullable=False)',
        'op.alter_column("{t}", "n", nullable=True)',
    ),
    Case("schema and rows", "schema-and-data", ADD + '; op.execute("UPDATE {t} SET n = 1 WHERE n = 2")', DROP),
    Case(
        "the same change of two tables",
        "several-locks",
        ADD + '; op.add_column("{t}_ref", sa.Column("b", sa.Text))',
        DROP + '; op.drop_column("{t}_ref", "b")',
    ),
    Case(
        "two tables are locked",
        "several-locks",
        'op.execute("LOCK TABLE {t} IN EXCLUSIVE MODE"); '
        + ADD
        + '; op.add_column("{t}_ref", sa.Column("b", sa.Text))',
        DROP + '; op.drop_column("{t}_ref", "b")',
    ),
    Case(
        "a new table that refers to an old one",
        "",
        'op.create_table("{t}_new", sa.Column("id", sa.BigInteger, primary_key=True),'
        ' sa.ForeignKeyConstraint(["id"], ["{t}.id"], name="fk_{t}_new"))',
        'op.drop_table("{t}_new")',
    ),
    Case(
        "a table is renamed that a foreign key without an index is on",
        "still-mapped",
        'op.rename_table("fk_less", "{t}_less")',
        'op.rename_table("{t}_less", "fk_less")',
    ),
    Case(
        "a table, and columns named after it",
        "several-locks",
        'op.create_table("{t}_rooms", sa.Column("id", sa.BigInteger, primary_key=True)); '
        + 'op.add_column("{t}", sa.Column("room", sa.Text)); op.add_column("{t}_ref", sa.Column("room", sa.Text))',
        'op.drop_column("{t}_ref", "room"); op.drop_column("{t}", "room"); op.drop_table("{t}_rooms")',
    ),
    # what is lost
    Case(
        "a column is dropped",
        "data-loss still-mapped",
        'op.drop_column("{t}", "n")',
        'op.add_column("{t}", sa.Column("n", sa.Integer))',
    ),
    Case(
        "a column is dropped with consent",
        "",
        'op.drop_column("{t}", "n")',
        'op.add_column("{t}", sa.Column("n", sa.Integer))',
        top="# lint: allow data-loss because nobody has filled it since 2020\n"
        "# lint: allow still-mapped because the release before this no longer maps it",
    ),
    Case(
        "a column is dropped with consent for both on one line",
        "",
        'op.drop_column("{t}", "n")',
        'op.add_column("{t}", sa.Column("n", sa.Integer))',
        top="# lint: allow data-loss, still-mapped because nobody has filled or mapped it since 2020",
    ),
    Case(
        "a column takes the place of another one",
        "data-loss",
        'op.drop_column("{t}", "a"); op.add_column("{t}", sa.Column("a", sa.Integer))',
        'op.drop_column("{t}", "a"); op.add_column("{t}", sa.Column("a", sa.Text))',
    ),
    Case(
        "a table takes the place of another one, which was copied",
        "",
        'op.create_table("{t}_new", sa.Column("id", sa.BigInteger, nullable=False), sa.Column("a", sa.Text),'
        ' sa.Column("n", sa.Integer), sa.Column("at", sa.Double));'
        'op.execute("INSERT INTO {t}_new SELECT * FROM {t}"); op.drop_table("{t}");'
        'op.rename_table("{t}_new", "{t}"); op.create_primary_key("pk_{t}", "{t}", ["id"])',
        '"""It is the same."""',
    ),
    data("rows are deleted", "data-loss", "DELETE FROM {t} WHERE n = 1"),
    data("a table is emptied", "data-loss", "TRUNCATE {t}"),
    Case(
        "a type cuts values",
        "data-loss",
        *(f'op.alter_column("{{t}}", "at", type_=sa.{kind}())' for kind in ("Integer", "Double")),
    ),
    Case(
        "a type keeps values",
        "",
        'op.alter_column("{t}_ref", "day", type_=sa.DateTime(timezone=True))',
        'op.alter_column("{t}_ref", "day", type_=sa.DateTime)',
    ),
    Case(
        "a generated column is dropped",
        "still-mapped",
        'op.drop_column("{t}_ref", "twice")',
        'op.add_column("{t}_ref", sa.Column("twice", sa.BigInteger, sa.Computed("id * 2", persisted=True)))',
    ),
    Case(
        "a column is computed from now on",
        "data-loss",
        'op.drop_column("{t}_ref", "day");'
        'op.add_column("{t}_ref", sa.Column("day", sa.DateTime, sa.Computed("NULL::timestamp", persisted=True)))',
        'op.drop_column("{t}_ref", "day"); op.add_column("{t}_ref", sa.Column("day", sa.DateTime))',
    ),
    Case(
        "a column is renamed",
        "still-mapped",
        'op.alter_column("{t}", "n", new_column_name="m")',
        'op.alter_column("{t}", "m", new_column_name="n")',
    ),
    # foreign keys
    Case(
        "a foreign key without an index",
        "foreign-key-index",
        'op.create_foreign_key("fk_{t}", "{t}", "{t}_ref", ["id"], ["id"]);'
        'op.add_column("{t}", sa.Column("up", sa.BigInteger));'
        'op.create_foreign_key("fk_{t}_up", "{t}", "{t}", ["up"], ["id"])',
        'op.drop_column("{t}", "up"); op.drop_constraint("fk_{t}", "{t}", type_="foreignkey")',
    ),
    Case(
        "the index of a foreign key is dropped",
        "foreign-key-index",
        REFERS + '; op.drop_index("ix_{t}_ref")',
        'op.create_index("ix_{t}_ref", "{t}_ref", ["t_id"]); ' + NO_REFERENCE,
    ),
    Case("a foreign key of another type", "foreign-key-type", REFERS.replace("t_id", "small_id"), NO_REFERENCE),
    # the way back
    Case("no way back", "downgrade undo", ADD, "pass"),
    Case("a forgotten index", "undo", ADD + '; op.create_index("ix_{t}", "{t}", ["a"])', DROP),
    Case("too much is taken away", "undo", ADD, DROP + '; op.drop_index("ix_{t}_ref")'),
    # what hides
    raw("a table if it is not there", "leftover", "CREATE TABLE IF NOT EXISTS {t}_new (id int)", "DROP TABLE {t}_new"),
    raw("a table if it is there", "leftover", "CREATE TABLE {t}_new (id int)", "DROP TABLE IF EXISTS {t}_new"),
    Case(
        "an index with the argument",
        "leftover",
        'op.create_index("ix_{t}", "{t}", ["a"], if_not_exists=True)',
        'op.drop_index("ix_{t}")',
    ),
    Case(
        "what is not rolled back, and so may be there already",
        "",
        'op.create_index("ix_{t}", "{t}", ["a"], if_not_exists=True, postgresql_concurrently=True)',
        'op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_{t}")',
    ),
    raw("a new view that replaces", "leftover", "CREATE OR REPLACE VIEW {t}_v AS SELECT 1 AS one", "DROP VIEW {t}_v"),
    raw(
        "a view is replaced",
        "",
        "CREATE OR REPLACE VIEW {t}_view AS SELECT id + 0 AS id FROM {t}",
        "CREATE OR REPLACE VIEW {t}_view AS SELECT id FROM {t}",
    ),
    # the last one, for nothing comes after it
    Case(
        "an upgrade that fails: a word after a colon would be NULL in the CHECK",
        "runs",
        """op.create_check_constraint("ck_{t}", "{t}", "id::text <> ':none'")""",
        "raise NotImplementedError  # lint: allow downgrade because it never ran",
    ),
)

TEXTS = (
    # what it depends on
    data("the path is set", "search-path", "SET search_path = public"),
    data("the schema at hand is asked for", "search-path", "SELECT current_schema()"),
    raw(
        "a function has its own path",
        "",
        "CREATE FUNCTION {t}_f() RETURNS int LANGUAGE sql SET search_path = '' AS 'SELECT 1'",
        "DROP FUNCTION {t}_f()",
    ),
    data("the server's clock", "clock", "UPDATE {t} SET at = extract(epoch FROM now()) WHERE n = 1"),
    Case(
        "Python's clock",
        "clock",
        'op.execute(f"UPDATE {t} SET n = {{dt.now().year}} WHERE n = 1")',
        '"""Nothing."""',
        top="from datetime import datetime as dt",
    ),
    Case(
        "a default of now()",
        "",
        'op.add_column("{t}", sa.Column("b", sa.DateTime, server_default=sa.func.now()))',
        DROP,
    ),
    Case(
        "a default of now() for the rows that are there",
        "clock",
        'op.add_column("{t}", sa.Column("b", sa.DateTime, server_default=sa.func.now()));'
        'op.alter_column("{t}", "b", server_default=None)',
        DROP,
    ),
    Case(
        "the moment of the downgrade",
        "clock",
        'op.drop_column("{t}", "b")',
        'op.add_column("{t}", sa.Column("b", sa.DateTime, server_default=sa.text("CURRENT_DATE + 1")));'
        'op.alter_column("{t}", "b", server_default=None)',
    ),
    raw(
        "by hand the same",
        "random",
        "ALTER TABLE {t} ADD COLUMN b uuid DEFAULT gen_random_uuid(); ALTER TABLE {t} ALTER b DROP DEFAULT",
        "ALTER TABLE {t} DROP b",
    ),
    raw(
        "a default of now() that stays while another goes",
        "",
        "ALTER TABLE {t} ADD b timestamptz DEFAULT now(), ALTER COLUMN a DROP DEFAULT",
        "ALTER TABLE {t} DROP b",
    ),
    data("a random value", "random", "UPDATE {t} SET at = random() WHERE n = 1"),
    Case(
        "a random value of Python",
        "random",
        "op.execute(f\"COMMENT ON TABLE {t} IS '{{uuid.uuid4()}}'\")",
        'op.drop_table_comment("{t}")',
        top="import uuid",
    ),
    Case(
        "the same value everywhere",
        "",
        "op.execute(f\"COMMENT ON TABLE {t} IS '{{uuid.uuid5(uuid.NAMESPACE_URL, str())}}'\")",
        'op.drop_table_comment("{t}")',
        top="import uuid",
    ),
    Case(
        "Python's clock in a log, for a column's default, in a loop that waits",
        "",
        "start = time.time(); took = time.time() - start;"
        ' log.info("%s", took); log.info(f"{{round(time.time() - start)}}");'
        ' op.add_column("{t}", sa.Column("b", sa.Text, default=lambda: str(time.time())))\n'
        "    if time.monotonic() and time.time() - start > 5: print(took)\n"
        "    while time.time() - start < 0: pass",
        DROP,
        top="import logging\nimport time\nlog = logging.getLogger(__name__)",
    ),
    Case(
        "Python's clock through a name and a function",
        "clock",
        'moment = _now(); op.execute(f"UPDATE {t} SET n = {{moment}} WHERE n = 1")',
        '"""Nothing."""',
        top="import time\ndef _now() -> float:\n    return time.time()",
    ),
    Case(
        "what only another database system runs",
        "",
        'if op.get_bind().dialect.name == "sqlite": op.execute("DROP INDEX IF EXISTS ix")\n    else: ' + ADD,
        DROP,
    ),
    raw(
        "a condition of a body",
        "",
        "CREATE FUNCTION {t}_f() RETURNS void BEGIN ATOMIC IF EXISTS (SELECT 1) THEN NULL; END IF; END",
        "DROP FUNCTION {t}_f()",
    ),
    raw("an extension", "", "CREATE EXTENSION IF NOT EXISTS citext", "DROP EXTENSION IF EXISTS citext"),
    Case("a set whose order does not matter", "", 'assert sorted(n for n in {{"b"}}); ' + ADD, DROP),
    Case("a folder", "order", "[op.execute(name) for name in os.listdir()]", DROP, top="import os"),
    Case("a folder in order", "", "[op.execute(name) for name in sorted(os.listdir())]", DROP, top="import os"),
    Case("the order of a set", "order", '[op.add_column("{t}", sa.Column(name, sa.Text)) for name in {{"b"}}]', DROP),
    Case("the order of a list", "", '[op.add_column("{t}", sa.Column(name, sa.Text)) for name in ["b"]]', DROP),
    Case("the application is imported", "application-code", ADD, DROP, top="from src.settings import Variable"),
    Case("libraries are imported", "", ADD, DROP, top="import decimal\nimport pgvector"),
    # words
    Case("a message that says nothing", "message", ADD, DROP, message="update tables"),
    Case(
        "a message of words that are a name here",
        "",
        'op.create_table("message", sa.Column("id", sa.Integer))',
        'op.drop_table("message")',
        message="Add message table",
    ),
    Case("no message", "message", ADD, DROP, message=""),
    # allowances
    Case(
        "an allowance without a reason", "allowance message", ADD, DROP, message="changes", top="# lint: allow message"
    ),
    Case("an allowance", "", ADD, DROP, message="changes", top="# lint: allow message because it is a test"),
    Case("an allowance of nothing", "allowance", ADD, DROP, top="# lint: allow every-row because it is small"),
    Case("an allowance of no rule", "allowance", ADD, DROP, top="# lint: allow everything because I can"),
)
