"""Enum types: labels come, go and move, also where the type is used."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove


def _e(*labels: str) -> str:
    return f"Enum({', '.join(map(repr, labels))}, name='e')"


def _t(kind: str, default: str = "", more: str = "") -> str:
    default = f", server_default={default!r}" if default else ""
    return f"Table('t', m, Column('id', Integer), Column('a', {kind}{default}))\n{more}"


AB, ABC, ACB, BA, A = _e("a", "b"), _e("a", "b", "c"), _e("a", "c", "b"), _e("b", "a"), _e("a")
USED = """
u = Table('u', m, Column('id', Integer, primary_key=True), Column('a', {0}, server_default='a', nullable=False),
    Column('many', ARRAY({0}), server_default='{{a,b}}'),
    Column('n', Integer, server_default=text("length('a'::e::text)")),
    Column('shown', Text, Computed("CASE a WHEN 'a' THEN 'A' ELSE 'B' END", persisted=True)),
    CheckConstraint("a <> 'b' OR n > 0", name='ck'))
Index('i', u.c.a, postgresql_where=text("a = 'b'"))
Index('j', u.c.a, u.c.id, unique=True)
w = Table('w', m, Column('a', {0}, primary_key=True))
Table('x', m, Column('a', {0}, ForeignKey(w.c.a)))
declare(m,
    SQLObject("CREATE VIEW v AS SELECT a, n FROM u WHERE a = 'a'"),
    SQLObject("CREATE MATERIALIZED VIEW mv AS SELECT a FROM v"),
    SQLObject("CREATE INDEX on_mv ON mv (a)"),
    SQLObject("CREATE FUNCTION f(e) RETURNS e LANGUAGE sql IMMUTABLE AS 'SELECT $1'"),
    SQLObject("CREATE POLICY p ON u USING (a = 'a')"),
    SQLObject("CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"),
    SQLObject("CREATE TRIGGER tr BEFORE UPDATE OF a ON u FOR EACH ROW WHEN (NEW.a = 'b') EXECUTE FUNCTION g()"),
    SQLObject("GRANT USAGE ON TYPE e TO PUBLIC"), SQLObject("COMMENT ON TYPE e IS 'x'"),
    SQLObject("REVOKE USAGE ON TYPE e FROM PUBLIC"))
"""


@cases(
    Case(
        "it comes with a table",
        "",
        _t(AB, "a"),
        [
            "op.execute(\"CREATE TYPE e AS ENUM ('a', 'b')\")",
            "postgresql.ENUM('a', 'b', name='e', create_type=False), server_default='a'",
        ],
        ["op.drop_table('t')", "op.execute('DROP TYPE e')"],
    ),
    Case(
        "it comes with a column, and stays for a second one",
        _t("Text"),
        _t("Text") + f"t.append_column(Column('b', {AB}))".replace("t.", "m.tables['t']."),
        ["CREATE TYPE", "op.add_column"],
        ["op.drop_column", "DROP TYPE"],
    ),
    *(
        Case(
            f"a label goes from an enum that is called {name}",
            f"Table('t', m, Column('a', Enum('a', 'b', name={name!r}), server_default='a'))",
            f"Table('t', m, Column('a', Enum('a', name={name!r}), server_default='a'))",
        )
        for name in ("Kind (v2)", "kind.v4", "order-kind", "kind[]")
    ),
    Case("two tables share it", "", _t(AB) + f"Table('u', m, Column('b', ARRAY({AB})))"),
    Case(
        "odd labels and names",
        "",
        _t("Enum('it\\'s', 'a \"b\"', '100%', 'x:y', '\\\\', name='Odd name', schema='public')"),
    ),
    Case(
        "labels come at every place",
        _t(AB),
        _t(_e("0", "a", "1", "2", "b", "c", "d")),
        [
            "op.execute(\"ALTER TYPE e ADD VALUE '0' BEFORE 'a'\")",
            "op.execute(\"ALTER TYPE e ADD VALUE '1' AFTER 'a'\")",
            "op.execute(\"ALTER TYPE e ADD VALUE '2' AFTER '1'\")",
            "op.execute(\"ALTER TYPE e ADD VALUE 'c'\")",
            "op.execute(\"ALTER TYPE e ADD VALUE 'd'\")",
        ],
        [
            "# Fails where a row holds '0' or '1' or '2' or 'c' or 'd' of e: change those rows first.",
            "ALTER TYPE e RENAME TO e_old",
            "CREATE TYPE e AS ENUM ('a', 'b')",
            "op.alter_column('t', 'a', type_=postgresql.ENUM('a', 'b', name='e', create_type=False), "
            "postgresql_using='a::text::e')",
            "DROP TYPE e_old",
        ],
        rows="INSERT INTO t VALUES (1, 'a'), (2, 'b')",
        kept="SELECT id, a::text FROM t ORDER BY id",
    ),
    Case(
        "a label goes, under a default",
        _t(ABC, "a"),
        _t(AB, "b"),
        rows="INSERT INTO t VALUES (1, 'a'), (2, 'b')",
        kept="SELECT id, a::text FROM t ORDER BY id",
    ),
    Case(
        "another order",
        _t(AB, "a"),
        _t(BA, "a"),
        rows="INSERT INTO t VALUES (1, 'a'), (2, NULL)",
        kept="SELECT id, a::text FROM t ORDER BY id",
    ),
    Case(
        "a label goes from a type that is used in every way",
        USED.format(ABC),
        USED.format(AB),
        rows="INSERT INTO u VALUES (1, 'a'), (2, 'b'); INSERT INTO w VALUES ('a'); INSERT INTO x VALUES ('a')",
        kept="SELECT id, a::text, many::text, n, shown, (SELECT count(*) FROM x) FROM u ORDER BY id",
        both_ways=False,
    ),
    Case(
        "another order in a type that is used in every way",
        USED.format(_e("b", "a")),
        USED.format(AB),
    ),
    Case(
        "a label comes while another goes",
        _t(AB, "a"),
        _t(_e("a", "c"), "a"),
    ),
    Case(
        "a text becomes an enum, and its check goes",
        _t("String(9)", "a", "m.tables['t'].append_constraint(CheckConstraint(\"a IN ('a', 'b')\", name='ck'))"),
        _t(AB, "a"),
        ["CREATE TYPE", "op.drop_constraint", "server_default=None", "postgresql_using='a::e'"],
        ["op.alter_column", "op.create_check_constraint", "DROP TYPE"],
        rows="INSERT INTO t VALUES (1, 'a'), (2, NULL)",
        kept="SELECT id, a::text FROM t ORDER BY id",
    ),
    Case(
        "a number becomes an enum by its text",
        _t("Integer"),
        _t(_e("1", "2")),
        rows="INSERT INTO t VALUES (1, 1)",
        kept="SELECT id, a::text FROM t",
    ),
    Case(
        "another enum with the same labels",
        _t(AB, "a"),
        _t(AB.replace("name='e'", "name='f'"), "a"),
        ["CREATE TYPE f", "postgresql_using='a::text::f'", "DROP TYPE e"],
        rows="INSERT INTO t VALUES (1, 'a')",
        kept="SELECT id, a::text FROM t",
    ),
    Case(
        "an array of labels",
        _t(f"ARRAY({ABC})", "{a}"),
        _t(f"ARRAY({BA})", "{a,b}"),
        rows="INSERT INTO t VALUES (1, '{a,b}'), (2, NULL)",
        kept="SELECT id, a::text FROM t ORDER BY id",
    ),
    Case(
        "a column leaves the type, while a label goes from it",
        _t(ABC, "", f"Table('u', m, Column('a', {ABC}))"),
        _t("Text", "", f"Table('u', m, Column('a', {AB}))"),
        both_ways=False,
    ),
    Case(
        "a column joins the type, while a label goes from it",
        _t("Text", "", f"Table('u', m, Column('a', {ABC}))"),
        _t(AB, "", f"Table('u', m, Column('a', {AB}))"),
        both_ways=False,
    ),
    Case(
        "a table with it goes, while a label goes from it",
        _t(ABC, "", f"Table('u', m, Column('a', {ABC}))"),
        f"Table('u', m, Column('a', {AB}))",
        both_ways=False,
    ),
    Case("an enum that is no type", _t(AB), _t(AB.replace("name", "native_enum=False, length=9, name"))),
)
def test_enum(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
