"""pgvector: columns, dimensions and kinds of vector, with rows and with indexes on them."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove

EXTENSION = "declare(m, Extension('vector'))\n"


def _t(kind: str, index: str = "") -> str:
    table = f"t = Table('t', m, Column('id', Integer), Column('v', {kind}))\n"
    return EXTENSION + table + (f"Index('i', t.c.v, {index})\n" if index else "")


def _index(method: str, operators: str, options: str = "") -> str:
    options = f", postgresql_with={{{options}}}" if options else ""
    return f"postgresql_using={method!r}, postgresql_ops={{'v': {operators!r}}}{options}"


HNSW = _index("hnsw", "vector_cosine_ops", "'m': 8")
ROWS = "INSERT INTO t VALUES (1, '[1,2,3]'), (2, NULL)"
KEPT = "SELECT id, v::text FROM t ORDER BY id"


@cases(
    Case(
        "the extension comes with a column",
        "Table('t', m, Column('id', Integer))",
        EXTENSION + "Table('t', m, Column('id', Integer), Column('v', Vector(3)))",
        ["CREATE EXTENSION vector", "op.add_column('t', sa.Column('v', Vector(3), nullable=True))"],
        ["op.drop_column('t', 'v')", "DROP EXTENSION vector"],
    ),
    Case(
        "a table with every kind, in a schema of its own",
        "",
        "declare(m, SQLObject('CREATE SCHEMA s'), SQLObject('CREATE EXTENSION vector SCHEMA s'), "
        "SQLObject('CREATE TABLE t (a s.vector(3), b s.halfvec(3), c s.sparsevec(3), d bit(3))'))",
        ["SQLType('s.vector(3)')"],
    ),
    Case(
        "a dimension is added",
        _t("Vector"),
        _t("Vector(3)"),
        ["# Fails if there is a vector of other than 3"],
        rows=ROWS,
    ),
    Case(
        "a dimension goes",
        _t("Vector(3)"),
        _t("Vector"),
        ["op.alter_column('t', 'v', type_=Vector())"],
        rows=ROWS,
        kept=KEPT,
    ),
    Case(
        "more dimensions, under an index",
        _t("Vector(3)", HNSW),
        _t("Vector(5)", HNSW),
        [
            "# The vectors that exist are filled up with zeros to 5 dimensions",
            "op.alter_column('t', 'v', type_=Vector(5)",
        ],
        ["# The vectors that exist are cut to 3 dimensions"],
        rows=ROWS,
    ),
    Case(
        "another kind, under an index",
        _t("Vector(3)", HNSW),
        _t("HALFVEC(3)", HNSW.replace("vector_cosine", "halfvec_cosine")),
        ["op.drop_index", "type_=HALFVEC(3))", "op.create_index"],
        rows=ROWS,
        kept=KEPT,
    ),
    Case(
        "sparse vectors",
        _t("Vector(3)"),
        _t("SPARSEVEC(3)"),
        rows=ROWS,
        kept="SELECT id, v::vector::text FROM t ORDER BY 1",
    ),
    Case("their signs", _t("Vector(3)"), _t("BIT(3)"), ["# Of each number only its sign is kept"]),
    Case(
        "an index of another method",
        _t("Vector(3)", HNSW),
        _t("Vector(3)", _index("ivfflat", "vector_l2_ops", "'lists': 5")),
    ),
    Case(
        "an index of what is made of the vector",
        _t("Vector(3)")
        + "Index('j', text('(binary_quantize(v)::bit(3)) bit_hamming_ops'), postgresql_using='hnsw', _table=t)",
        _t("Vector(4)")
        + "Index('j', text('(binary_quantize(v)::bit(4)) bit_hamming_ops'), postgresql_using='hnsw', _table=t)",
        rows=ROWS,
    ),
    Case(
        "stored plain, and counted on by a generated column",
        _t("Vector(3)"),
        _t("Vector(3)") + "declare(m, SQLObject('ALTER TABLE t ALTER v SET STORAGE PLAIN'), "
        "SQLObject('ALTER TABLE t ADD n float8 GENERATED ALWAYS AS (vector_norm(v)) STORED'))",
        rows=ROWS,
        kept=KEPT,
    ),
    *(
        Case(
            f"arrays of {before} become {after}",
            f"declare(m, Extension('vector'))\nTable('t', m, Column('id', Integer), Column('v', ARRAY({before})))",
            f"declare(m, Extension('vector'))\nTable('t', m, Column('id', Integer), Column('v', ARRAY({after})))",
            rows=f"INSERT INTO t VALUES (1, NULL), (2, '{{}}'), (3, array_fill({value}, ARRAY[2], ARRAY[5]))",
            # In each the numbers that both have room for, and the bounds of the array.
            kept=f"SELECT id, array_dims(v), (v[5]::vector::real[])[:{same}] FROM t ORDER BY id",
        )
        for before, after, value, same in (
            ("VECTOR(3)", "VECTOR(4)", "'[1,2,-3.5e-7]'::vector", 3),
            ("VECTOR(1)", "VECTOR(2)", "'[1]'::vector", 1),
            ("VECTOR(2)", "VECTOR(1)", "'[1,0]'::vector", 1),
            ("VECTOR(3)", "HALFVEC(5)", "'[1,2,0.5]'::vector", 3),
            ("SPARSEVEC(3)", "SPARSEVEC(2)", "'{1:1}/3'::sparsevec", 2),
            ("VECTOR(3)", "VECTOR", "'[1,2,3]'::vector", 3),
            ("VECTOR", "VECTOR(3)", "'[1,2,3]'::vector", 3),
        )
    ),
)
def test_vector(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
