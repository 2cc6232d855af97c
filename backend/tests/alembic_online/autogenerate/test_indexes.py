"""Indexes: what they are of, how they are built, and what is said of them."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove

COLUMNS = 'Column("a", Text), Column("b", Text), Column("n", Integer), Column("j", JSONB), Column("ts", TSVECTOR)'


def t(*indexes: str) -> str:
    return f'Table("t", m, {", ".join((COLUMNS, *indexes))})'


def ix(*rest: str) -> str:
    return t(f'Index("ix", {", ".join(rest)})')


def by_sql(*statements: str) -> str:
    return f"{t()}\ndeclare(m, {', '.join(f'SQLObject({statement!r})' for statement in statements)})"


OK = """declare(m,
    SQLObject("CREATE FUNCTION ok(text) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN true", before_tables=True))
"""
LINE = "op.create_index(op.f('ix'), 't', "
DROP = ["op.drop_index(op.f('ix'), table_name='t')"]


@cases(
    Case("of a column", t(), ix('"a"'), [LINE + "['a'])"], DROP),
    Case("without a name", t(), t().replace('"a", Text', '"a", Text, index=True'), ["op.f('ix_t_a')"]),
    Case("with its table", "", ix('"a"', '"b"'), ["op.create_table(", LINE]),
    Case("in another order", ix('"a"', '"b"'), ix('"b"', '"a"'), [*DROP, LINE + "['b', 'a'])"]),
    Case("unique", ix('"a"'), ix('"a"', "unique=True"), ["unique=True"]),
    Case("of an expression", t(), ix('text("lower(a)")'), [LINE + "[sa.text('lower(a)')])"]),
    Case("of an expression of SQLAlchemy's", t(), ix('func.coalesce(column("a"), "it\'s: %")')),
    Case("of an expression in parentheses", t(), ix("text(\"(j ->> 'x')\")")),
    Case("of an expression with colons", t(), ix("text(\"(a || '\\\\:x\\\\\\\\:y')\")")),
    Case("descending", t(), ix('text("n DESC")', '"a"'), ["[sa.text('n DESC'), 'a']"]),
    Case("NULLs first and last", ix('text("n")'), ix('text("n NULLS FIRST")', 'text("a DESC NULLS LAST")')),
    Case("another collation", ix('"a"'), ix("text('a COLLATE \"C\"')")),
    Case("a column twice", t(), ix('"a"', 'text("a text_pattern_ops")')),
    Case(
        "an operator class",
        ix('"a"'),
        ix('"a"', 'postgresql_ops={"a": "text_pattern_ops"}'),
        ["postgresql_ops={'a': 'text_pattern_ops'}"],
    ),
    Case("an operator class of an expression, descending", t(), ix('text("lower(a) text_pattern_ops DESC")')),
    Case(
        "an operator class with options",
        t(),
        by_sql("CREATE INDEX ix ON t USING gist (ts tsvector_ops (siglen = 100))"),
    ),
    Case(
        "a predicate",
        ix('"a"'),
        ix('"a"', "postgresql_where=text(\"n > 0 AND b LIKE 'x%'\")"),
        ["postgresql_where=sa.text("],
    ),
    Case(
        "a predicate that is a function",
        OK + t(),
        OK + ix('"a"', 'postgresql_where=text("ok(a)")'),
        ["postgresql_where=sa.text('ok(a)')"],
    ),
    Case(
        "a predicate in the words of the models",
        ix('"a"'),
        ix('"a"', "postgresql_where=text(\"b IN ('x', 'y')\")"),
        ["postgresql_where=sa.text(\"b IN ('x', 'y')\")"],
    ),
    Case("another predicate", ix('"a"', 'postgresql_where=text("n > 0")'), ix('"a"', 'postgresql_where=text("n > 1")')),
    Case("including columns", ix('"a"'), ix('"a"', 'postgresql_include=["n", "b"]'), ["postgresql_include=['n', 'b']"]),
    Case("NULLs are equal", ix('"a"', "unique=True"), ix('"a"', "unique=True, postgresql_nulls_not_distinct=True")),
    Case(
        "everything at once",
        t(),
        ix(
            '"a"',
            'text("n DESC")',
            'unique=True, postgresql_include=["b"], postgresql_nulls_not_distinct=True,'
            ' postgresql_where=text("n > 0"), postgresql_with={"fillfactor": 70},'
            ' postgresql_ops={"a": "text_pattern_ops"}',
        ),
    ),
    Case("hash", t(), ix('"a"', 'postgresql_using="hash"'), ["postgresql_using='hash'"]),
    Case("GIN", t(), ix('"j"', 'postgresql_using="gin", postgresql_ops={"j": "jsonb_path_ops"}')),
    Case(
        "GIN by another class",
        ix('"j"', 'postgresql_using="gin"'),
        ix('"j"', 'postgresql_using="gin", postgresql_ops={"j": "jsonb_path_ops"}'),
    ),
    Case("BRIN", t(), ix('"n"', 'postgresql_using="brin", postgresql_with={"pages_per_range": 16}')),
    Case(
        "BRIN of other ranges",
        ix('"n"', 'postgresql_using="brin"'),
        ix('"n"', 'postgresql_using="brin", postgresql_with={"pages_per_range": 16}'),
        DROP,
    ),
    Case("a column and its index", t(), t('Column("new", Text, index=True)'), ["op.add_column(", "op.create_index("]),
    Case(
        "of two schemas, of one name",
        "declare(m, SQLObject('CREATE SCHEMA s'))\n" + ix('"a"'),
        "declare(m, SQLObject('CREATE SCHEMA s'))\n"
        + ix('"a"')
        + '\nTable("t", m, Column("a", Text), Index("ix", "a"), schema="s")',
    ),
    Case(
        "moved to another table",
        ix('"a"') + '\nTable("u", m, Column("a", Text))',
        t() + '\nTable("u", m, Column("a", Text), Index("ix", "a"))',
        DROP,
    ),
)
def test_what_an_index_is(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


IX = "CREATE INDEX ix ON t (a)"


@cases(
    Case(
        "a fill factor",
        ix('"a"'),
        ix('"a"', 'postgresql_with={"fillfactor": 70}'),
        ["ALTER INDEX ix SET (fillf"],
        ["RESET"],
    ),
    Case(
        "a comment",
        by_sql(IX),
        by_sql(IX, "COMMENT ON INDEX ix IS 'x'"),
        ["COMMENT ON INDEX ix IS 'x'"],
        ["IS NULL"],
    ),
    Case("made with a comment", t(), by_sql(IX, "COMMENT ON INDEX ix IS 'x'")),
    Case(
        "a statistics target",
        by_sql("CREATE INDEX ix ON t (lower(a))"),
        by_sql("CREATE INDEX ix ON t (lower(a))", "ALTER INDEX ix ALTER 1 SET STATISTICS 7"),
    ),
    Case(
        "made with a statistics target",
        t(),
        by_sql("CREATE INDEX ix ON t (lower(a))", "ALTER INDEX ix ALTER 1 SET STATISTICS 7"),
    ),
    Case(
        "clustered", by_sql(IX), by_sql(IX, "ALTER TABLE t CLUSTER ON ix"), ["CLUSTER ON ix"], ["SET WITHOUT CLUSTER"]
    ),
    Case(
        "clustered by another",
        by_sql(IX, "CREATE INDEX zx ON t (n)", "ALTER TABLE t CLUSTER ON ix"),
        by_sql(IX, "CREATE INDEX zx ON t (n)", "ALTER TABLE t CLUSTER ON zx"),
    ),
    Case("made clustered", t(), by_sql(IX, "ALTER TABLE t CLUSTER ON ix")),
)
def test_what_is_said_of_an_index(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


def vectors(*indexes: str) -> str:
    columns = 'Column("v", VECTOR(3)), Column("h", HALFVEC(3)), Column("s", SPARSEVEC(3)), Column("b", BIT(3))'
    return f'declare(m, Extension("vector"))\nTable("t", m, {", ".join((columns, *indexes))})'


def hnsw(column: str, more: str = "") -> str:
    return f'Index("ix", {column}, postgresql_using="hnsw"{more})'


COSINE = ', postgresql_ops={"v": "vector_cosine_ops"}'


@cases(
    Case(
        "HNSW",
        vectors(),
        vectors(hnsw('"v"', COSINE)),
        [LINE + "['v'], postgresql_using='hnsw', postgresql_ops={'v': 'vector_cosine_ops'})"],
    ),
    Case(
        "with the extension",
        "",
        vectors(hnsw('"v"', COSINE)),
        ["CREATE EXTENSION vector", LINE],
        ["DROP EXTENSION vector"],
    ),
    Case(
        "options",
        vectors(hnsw('"v"', COSINE)),
        vectors(hnsw('"v"', COSINE + ', postgresql_with={"m": 32, "ef_construction": 80}')),
        [*DROP, "postgresql_with={'m': 32, 'ef_construction': 80}"],  # in the order of the models
    ),
    Case("another distance", vectors(hnsw('"v"', COSINE)), vectors(hnsw('"v"', COSINE.replace("cosine", "l2")))),
    Case(
        "IVFFlat",
        vectors(hnsw('"v"', COSINE)),
        vectors(hnsw('"v"', ', postgresql_with={"lists": 10}' + COSINE).replace("hnsw", "ivfflat")),
    ),
    Case("half precision", vectors(), vectors(hnsw('"h"', ', postgresql_ops={"h": "halfvec_l2_ops"}'))),
    Case("half precision of a full vector", vectors(), vectors(hnsw('text("(v::halfvec(3)) halfvec_cosine_ops")'))),
    Case("sparse", vectors(), vectors(hnsw('"s"', ', postgresql_ops={"s": "sparsevec_ip_ops"}'))),
    Case("bits", vectors(), vectors(hnsw('"b"', ', postgresql_ops={"b": "bit_hamming_ops"}'))),
    Case("binary quantisation", vectors(), vectors(hnsw('text("(binary_quantize(v)::bit(3)) bit_hamming_ops")'))),
)
def test_indexes_of_vectors(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
