"""Many changes in one go, of kinds that need each other."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove

MADE = """
    SQLObject("CREATE FUNCTION made() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'", before_tables=True),"""
WHOLE = """
Slug = DOMAIN("slug", Text, metadata=m, check="VALUE <> \x27\x27")
declare(m, Extension("vector"), SQLObject("CREATE SCHEMA archive"),
    SQLObject("CREATE FUNCTION made() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'", before_tables=True),
    SQLObject("CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"),
    SQLObject("CREATE TRIGGER touch BEFORE UPDATE ON chapters FOR EACH ROW EXECUTE FUNCTION touch()"),
    SQLObject("CREATE VIEW open_chapters AS SELECT c.title, u.mood FROM chapters c JOIN users u ON u.id = c.user_id"),
    SQLObject("CREATE MATERIALIZED VIEW counted AS SELECT mood, count(*) AS n FROM open_chapters GROUP BY mood"),
    SQLObject("CREATE UNIQUE INDEX uq_counted ON counted (mood)"),
    SQLObject("CREATE FUNCTION titles() RETURNS SETOF text LANGUAGE sql AS 'SELECT title FROM open_chapters'"),
    SQLObject("ALTER TABLE users ENABLE ROW LEVEL SECURITY"),
    SQLObject("CREATE POLICY own ON users USING (mood = 'calm')"),
    SQLObject("CREATE STATISTICS st ON title, user_id FROM chapters"),
    SQLObject("GRANT SELECT ON open_chapters TO pg_monitor"))
mood = ENUM("calm", "wild", name="mood", metadata=m)
Table("users", m, Column("id", Integer, Identity(), primary_key=True), Column("mood", mood, server_default="calm"),
    Column("best_id", ForeignKey("chapters.id", use_alter=True, name="fk_best")))
Table("chapters", m, Column("id", BigInteger, primary_key=True), Column("title", String(50), index=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE")), Column("slug", Slug),
    Column("v", VECTOR(3)),
    Column("upper", Text, Computed("upper(title)", persisted=True)),
    Column("at", DateTime(True), server_default=func.made()),
    Index("ix_v", "v", postgresql_using="hnsw", postgresql_ops={"v": "vector_cosine_ops"}))
Table("old", m, Column("chapter_id", ForeignKey("chapters.id"), primary_key=True), schema="archive")
"""
CHANGED = (
    WHOLE.replace("String(50)", "Text")
    .replace('"calm", "wild"', '"calm", "angry", "wild"')
    .replace("VECTOR(3)", "VECTOR(4)")
    .replace("upper(title)", "lower(title)")
    .replace("SELECT c.title, u.mood", "SELECT u.id, c.title, u.mood")
    .replace("RETURN NEW;", "NEW.title = 1; RETURN NEW;")
    .replace("Integer, Identity()", "BigInteger, Identity(always=True)")
    .replace("mood = 'calm'", "mood <> 'calm'")
)


NUMBERED = """
declare(m, SQLObject("CREATE FUNCTION made() RETURNS {0} LANGUAGE sql AS 'SELECT 7::{0}'", before_tables=True))
Table("t", m, Column("id", Integer, primary_key=True), Column("n", {1}, server_default={2}))
"""


@cases(
    Case(
        "a function that a default calls is rebuilt",
        NUMBERED.format("int", "Integer", "func.made()"),
        NUMBERED.format("bigint", "Integer", "func.made()"),
        up=("server_default=None", "DROP FUNCTION", "CREATE FUNCTION", "made()"),
        rows="INSERT INTO t VALUES (1, 7), (2, 9)",
        kept="SELECT id, n FROM t ORDER BY id",
    ),
    Case(
        "and the column gets another type",
        NUMBERED.format("int", "Integer", "func.made()"),
        NUMBERED.format("bigint", "BigInteger", "func.made()"),
    ),
    Case(
        "and another default",
        NUMBERED.format("int", "Integer", "func.made()"),
        NUMBERED.format("bigint", "Text", "text('1 + made()')"),
    ),
    Case("and none", NUMBERED.format("int", "Integer", "func.made()"), NUMBERED.format("bigint", "Integer", "None")),
    Case(
        "a function of another signature, called in the same words",
        NUMBERED.format("int", "Integer", "func.made()"),
        NUMBERED.format("int", "Integer", "func.made()").replace("made() RETURNS", "made(x int = 1) RETURNS"),
    ),
)
def test_a_column_lets_go_of_the_function_that_its_default_calls(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


@cases(
    Case("everything comes, everything goes", "", WHOLE),
    Case("everything changes", WHOLE, CHANGED, both_ways=False),
    Case(
        "one thing goes, and what needed it changes",
        WHOLE,
        WHOLE.replace(MADE, "").replace("func.made()", "func.now()"),
    ),
)
def test_mixed_changes(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
