"""Types in use that PostgreSQL cannot alter: others take their places, and the rows keep what they hold."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove


def _sql(*statements: str, before_tables: bool = False) -> str:
    option = ", before_tables=True" * before_tables
    return f"declare(m, {', '.join(f'SQLObject({statement!r}{option})' for statement in statements)})\n"


PAIRS = (
    "CREATE DOMAIN pairs AS pair[] DEFAULT '{}'",
    "CREATE TYPE nest AS (one pair, more pairs)",
    "CREATE TABLE t (id int PRIMARY KEY, a pair DEFAULT '(1,x,)', b pair[], c nest, d pairs)",
    "ALTER TABLE t ADD CHECK (a <> '(9,y,)'::pair)",
    "CREATE INDEX i ON t (a)",
    "CREATE INDEX j ON t (((a).a))",
    "CREATE VIEW v AS SELECT (a).b, c FROM t",
    "CREATE FUNCTION f(pair) RETURNS nest LANGUAGE sql AS 'SELECT NULL::nest'",
)
SPANS = (
    "CREATE DOMAIN spans AS span CHECK (NOT isempty(VALUE))",
    "CREATE TABLE t (id int, a span DEFAULT '[1,5)', b span[], c span_multirange, d spans)",
    "ALTER TABLE t ADD EXCLUDE USING gist (a WITH &&)",
    "CREATE INDEX i ON t (lower(a)) WHERE a <> 'empty'::span",
    "CREATE VIEW v AS SELECT c FROM t",
)
KINDS = (
    "CREATE DOMAIN d AS e DEFAULT 'b' CONSTRAINT ck CHECK (VALUE <> 'x'::e)",
    "CREATE DOMAIN dd AS d NOT NULL",
    "CREATE TYPE k AS (a e, b d[])",
    "CREATE TABLE t (id int, a d, b dd DEFAULT 'c', c d[], f k, g e DEFAULT 'b', h text DEFAULT ('b'::e)::text)",
    "CREATE INDEX i ON t (a) WHERE a::e > 'b'::e",
)
COLLATED = (
    'CREATE DOMAIN word AS text COLLATE "Sorted"',
    'CREATE TABLE t (id int, a text COLLATE "Sorted" UNIQUE, b word, c varchar(9) COLLATE "Sorted", d text)',
    'CREATE INDEX i ON t (d COLLATE "Sorted", a)',
    "CREATE VIEW v AS SELECT a FROM t",
)
FUNCTION = "CREATE FUNCTION fine({} text) RETURNS bool LANGUAGE sql IMMUTABLE RETURN $1 <> ''"
CHECKED = (
    "CREATE DOMAIN slug AS text CONSTRAINT ck CHECK (fine(VALUE))",
    "CREATE DOMAIN flag AS bool DEFAULT fine('x')",
    "CREATE TABLE t (id int, a slug, b flag)",
)
LOCALE = "CREATE COLLATION \"Sorted\" (provider = libc, lc_collate = 'C', lc_ctype = {!r})"


@cases(
    Case(
        "the type of an attribute, others that come and go, and all that is made of it",
        _sql("CREATE TYPE pair AS (a int, b text, c int)", *PAIRS),
        _sql("CREATE TYPE pair AS (a bigint, b text, d date)", "COMMENT ON COLUMN pair.a IS 'x'", *PAIRS),
        [
            "ALTER TYPE pair DROP ATTRIBUTE c",
            "ALTER TYPE pair RENAME TO pair_old",
            "ALTER DOMAIN pairs RENAME TO pairs_old",
            "CREATE TYPE pair AS (a bigint, b text, d date)",
            "postgresql_using='b::text[]::pair[]'",
            "DROP TYPE pair_old",
        ],
        rows='INSERT INTO t VALUES (1, DEFAULT, \'{"(2,\\"a, b\\",3)",NULL}\', \'("(4,,)","{}")\'), '
        "(2, NULL, NULL, NULL), "
        "(3, '(,,)', NULL, '(,)')",
        kept="SELECT id, (a).a, (a).b, a IS DISTINCT FROM NULL, (b[1]).b, (b[2]).a, ((c).one).a::int, d::text FROM t",
    ),
    Case(
        "its collation, both ways",
        _sql("CREATE TYPE pair AS (a text)", "CREATE TABLE t (a pair)"),
        _sql('CREATE TYPE pair AS (a text COLLATE "C")', "CREATE TABLE t (a pair)"),
    ),
    Case(
        "a range, with its multirange, arrays and a domain",
        _sql("CREATE TYPE span AS RANGE (subtype = int)", *SPANS),
        _sql("CREATE TYPE span AS RANGE (subtype = numeric, subtype_diff = numrange_subdiff)", *SPANS),
        ["RENAME TO span_multirange_old", "AS RANGE (SUBTYPE = numeric", "using='c::text::span_multirange'"],
        rows="INSERT INTO t VALUES (1, DEFAULT, '{\"[1,2)\"}', '{[1,2),[4,)}', '[3,9)'), (2, NULL, NULL, NULL, NULL)",
        kept="SELECT id, a::text, b::text, c::text, d::text FROM t",
    ),
    Case(
        "a range of which the subtype stays",
        _sql("CREATE TYPE span AS RANGE (subtype = text)", "CREATE TABLE t (a span, b span_multirange)"),
        _sql(
            'CREATE TYPE span AS RANGE (subtype = text, collation = "C")', "CREATE TABLE t (a span, b span_multirange)"
        ),
    ),
    Case(
        "labels of an enum, under domains, arrays, a composite type and defaults",
        _sql("CREATE TYPE e AS ENUM ('a', 'b', 'c', 'x')", *KINDS),
        _sql("CREATE TYPE e AS ENUM ('c', 'b', 'x')", *KINDS),
        ["# Fails where a row holds 'a' of e", "CREATE DOMAIN d AS", "CREATE DOMAIN dd AS d"],
        rows="INSERT INTO t VALUES (1, DEFAULT, DEFAULT, '{b,c}', '(b,\"{c}\")'), (2, NULL, 'b', NULL, NULL)",
        kept="SELECT id, a::text, b::text, c::text, f::text, g::text, h FROM t",
    ),
    Case(
        "a domain of a domain",
        _sql("CREATE DOMAIN one AS int", "CREATE DOMAIN two AS one CHECK (VALUE > 0)", "CREATE TABLE t (a two, b one)"),
        _sql(
            "CREATE DOMAIN one AS bigint", "CREATE DOMAIN two AS one CHECK (VALUE > 1)", "CREATE TABLE t (a two, b one)"
        ),
        rows="INSERT INTO t VALUES (2, 3)",
        kept="SELECT a::text, b::text FROM t",
    ),
    Case(
        "a collation",
        _sql(LOCALE.format("C"), *COLLATED),
        _sql(LOCALE.format("POSIX"), *COLLATED),
        ["RENAME TO", 'CREATE COLLATION "Sorted"', "CREATE DOMAIN word", "DROP COLLATION"],
        rows="INSERT INTO t VALUES (1, 'a', 'b', 'c', 'd')",
        kept="SELECT * FROM t",
    ),
    Case(
        "a column that leaves the type, and one that comes to it",
        _sql("CREATE TYPE e AS ENUM ('a', 'b')", "CREATE DOMAIN d AS e", "CREATE TABLE t (a d, b text)"),
        _sql("CREATE TYPE e AS ENUM ('b')", "CREATE DOMAIN d AS e", "CREATE TABLE t (a text, b d)"),
        rows="INSERT INTO t VALUES ('b', 'b')",
        kept="SELECT a::text, b::text FROM t",
    ),
    Case(
        "a function that the check and the default of a domain call",
        _sql(FUNCTION.format("a"), before_tables=True) + _sql(*CHECKED),
        _sql(FUNCTION.format("b"), before_tables=True) + _sql(*CHECKED),
        ["DROP DEFAULT", "DROP FUNCTION", "CREATE FUNCTION", "SET DEFAULT"],
        rows="INSERT INTO t VALUES (1, 'x', DEFAULT)",
        kept="SELECT * FROM t",
    ),
)
def test_another_type_takes_its_place(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
