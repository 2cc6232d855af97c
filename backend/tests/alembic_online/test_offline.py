"""`--sql` writes what the revision would do, with every value that it has; what it cannot write it refuses by name."""

import pytest

from tests.alembic_online.project import Project

NOWHERE = "postgresql://nobody@127.0.0.1:9/nowhere"
BIND = "op.get_bind()"
BOOKS = 'sa.table("books", sa.column("id"), sa.column("name", sa.String))'


@pytest.mark.parametrize(
    ("line", "written"),
    [
        (f'{BIND}.execute(sa.text("UPDATE b SET a = :a, n = :n"), {{"a": "it\'s", "n": 3}})', "a = 'it''s', n = 3;"),
        (f'{BIND}.execute(sa.text("UPDATE b SET a = :a"), {{"a": None}})', "SET a = NULL;"),
        (f'{BIND}.execute(sa.text("DELETE FROM b WHERE i IN :i"), {{"i": (1, 2)}})', "IN (1, 2);"),
        (f'{BIND}.execute(sa.text("DELETE FROM b WHERE i = ANY(:i)"), {{"i": ["x"]}})', "ANY(ARRAY['x']);"),
        (f'{BIND}.execute(sa.text("UPDATE b SET a = 1; UPDATE b SET a = :a"), {{"a": 2}})', "SET a = 2;"),
        (f'{BIND}.execute(sa.text("UPDATE b SET a = :a"), [{{"a": 1}}, {{"a": 2}}])', "SET a = 2;"),
        (f'{BIND}.execute({BOOKS}.insert(), [{{"id": 1, "name": "x"}}])', "VALUES (1, 'x');"),
        (
            f"{BIND}.exec_driver_sql(\"UPDATE b SET a = '50%% :none', n = %(n)s\", {{'n': 5}})",
            "a = '50% :none', n = 5;",
        ),
        (f'{BIND}.exec_driver_sql("UPDATE b SET a = %s", ("x",))', "SET a = 'x';"),
        (
            "op.bulk_insert(sa.table('b', sa.column('j', sa.JSON)), [{'j': {'x': [1, \"it's 5%\"]}}])",
            """VALUES ('{"x": [1, "it''s 5%"]}');""",
        ),
        ("op.execute(r\"UPDATE b SET a = '\\:none'\")", "SET a = ':none';"),
        ("op.execute(\"UPDATE b SET a = '12:30', c = '3'::int\")", "'12:30', c = '3'::int;"),
        (
            'op.add_column("b", sa.Column("c", sa.Text, nullable=False, default=lambda: "x"))',
            "ADD COLUMN c TEXT NOT NULL",
        ),
        (f"{BIND}.execute(sa.text(\"SELECT setval('s', 3)\")).close()", "SELECT setval('s', 3);"),
    ],
)
def test_what_has_a_value_is_written_with_it(project: Project, line: str, written: str) -> None:
    project.revision("001_a", upgrade=line)
    assert written in project.alembic(NOWHERE, "upgrade", "head", "--sql")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("op.execute(\"UPDATE b SET a = ':none'\")", "a parameter without a value, :none."),
        (f'{BIND}.execute(sa.text("UPDATE b SET a = :a, n = :n"), {{"a": 1}})', "a parameter without a value, :n."),
        ('op.create_check_constraint("c", "b", "a <> \':none\'")', "a parameter without a value, :none."),
        ("op.add_column('b', sa.Column('c', sa.Text, server_default=sa.text(\"':x'\")))", "without a value, :x."),
        (f'{BIND}.execute(sa.text("SELECT 1")).scalar()', "needs an answer of the database"),
        (f'{BIND}.scalar(sa.text("SELECT 1"))', "needs an answer of the database"),
        (f'[row for row in {BIND}.execute(sa.text("SELECT 1"))]', "needs an answer of the database"),
        (f"sa.inspect({BIND}).get_table_names()", "needs an answer of the database"),
        (f'{BIND}.dialect.has_table({BIND}, "b")', "needs an answer of the database"),
    ],
)
def test_what_cannot_be_written_is_refused(project: Project, line: str, named: str) -> None:
    project.revision("001_a", upgrade=line)
    code, stderr = project.alembic.refused(NOWHERE, "upgrade", "head", "--sql")
    assert (code, stderr.startswith("Revision 001_a, upgrade(), line "), named in stderr) == (18, True, True), stderr


@pytest.mark.parametrize(
    "line",
    [
        'op.create_check_constraint("c", "b", "a <> \':none\'")',
        "op.create_table('t', sa.Column('a', sa.Text), sa.CheckConstraint(\"a <> ':none'\"))",
        "op.create_index('i', 'b', [sa.text(\"(a || ':none')\")])",
        "op.execute(\"UPDATE b SET a = ':none'\")",
        f'{BIND}.execute(sa.text("UPDATE b SET a = :none"))',
    ],
)
def test_a_word_after_a_colon_is_not_made_null(project: Project, database: str, line: str) -> None:
    project.revision("000_b", None, 'op.create_table("b", sa.Column("a", sa.Text))')
    project.revision("001_a", "000_b", line)
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, "001_a, upgrade(), line " in stderr) == (18, True), stderr
    assert "has a parameter without a value, :none." in stderr
