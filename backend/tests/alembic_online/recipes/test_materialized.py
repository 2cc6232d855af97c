"""A type change under materialized views: they are rebuilt over the new column, and filled, before the swap."""

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import Case
from tests.alembic_online.recipes.conftest import Direct, write
from tests.alembic_online.recipes.interruption import PATIENT, run_interrupted
from tests.alembic_online.recipes.state import State, read_state, same

BOOKS = """
    CREATE TABLE books (id integer PRIMARY KEY, id2 integer, pages integer, title text);
    INSERT INTO books SELECT i, -i, i % 7, 'title ' || i FROM generate_series(1, 90) i;
    CREATE TABLE loans (id integer, pages integer);
    INSERT INTO loans SELECT i, i FROM generate_series(1, 20) i;
"""
MADE = [
    """CREATE MATERIALIZED VIEW "By Pages" ("Pages", books, id) WITH (fillfactor = 70) AS
    SELECT books.pages, count(*), max(loans.pages) FROM books LEFT JOIN loans ON loans.id = books.id
    WHERE books.pages > 0 AND title <> 'pages' GROUP BY books.pages ORDER BY books.pages""",
    """CREATE UNIQUE INDEX by_pages ON "By Pages" ("Pages")""",
    """CREATE INDEX "its sum" ON "By Pages" (("Pages" + id)) WHERE books > 1""",
    """COMMENT ON INDEX by_pages IS 'one each'""",
    """COMMENT ON MATERIALIZED VIEW "By Pages" IS 'it''s counted'""",
    """COMMENT ON COLUMN "By Pages".books IS 'how many'""",
    """ALTER MATERIALIZED VIEW "By Pages" CLUSTER ON by_pages""",
    """ALTER MATERIALIZED VIEW "By Pages" ALTER books SET STATISTICS 40""",
    """GRANT SELECT ON "By Pages" TO PUBLIC""",
    """CREATE VIEW most AS SELECT * FROM "By Pages" WHERE books > 12""",
    """CREATE MATERIALIZED VIEW titles AS SELECT title, pages AS n FROM books WITH NO DATA""",
]
DROPPED = ["DROP VIEW most", """DROP MATERIALIZED VIEW "By Pages", titles"""]
AROUND = "for sql in {}:\n        op.execute(sql)\n    "
CHANGE = 'op.alter_column("books", "pages", type_=sa.{})'
CASE = Case("", CHANGE.format("BigInteger()"), CHANGE.format("Integer()"), ";".join([BOOKS, *MADE]))


def by_hand(directly: Direct) -> tuple[State, State]:
    """What dropping and making them again leads to."""
    up, down = (f"{AROUND.format(DROPPED)}{way}\n    {AROUND.format(MADE)}" for way in (CASE.upgrade, CASE.downgrade))
    return directly(Case("", up, down, CASE.before))


@pytest.mark.parametrize("small", ["0", "1e12"])
def test_they_are_as_they_were_over_the_new_column(
    project: Project, database: str, directly: Direct, small: str
) -> None:
    up, down = by_hand(directly)
    write(project, database, CASE)
    alembic = project.alembic.having(**{**PATIENT, "MIGRATION_SMALL_TABLE_BYTES": small})
    alembic(database, "upgrade", "head")
    same(up, read_state(database))
    assert contents(database) == 6
    alembic(database, "downgrade", "base")
    same(down, read_state(database))


@pytest.mark.prove
def test_it_converges_though_its_session_ends_around_every_step(
    project: Project, database: str, directly: Direct
) -> None:
    up, _ = by_hand(directly)
    write(project, database, CASE)
    assert run_interrupted(project, database, "upgrade", "head") > 0
    same(up, read_state(database))
    assert contents(database) == 6


def contents(url: str) -> int:
    """The number of rows, which no state of tables has."""
    with psycopg.connect(url) as session:
        row = session.execute('SELECT count(*) FROM "By Pages"').fetchone()
    return int(row[0]) if row else -1


@pytest.mark.parametrize(
    ("before", "problem"),
    [
        (
            "CREATE VIEW sizes AS SELECT pages FROM books; CREATE MATERIALIZED VIEW size AS SELECT * FROM sizes",
            "books.pages cannot be rebuilt while it is in use: materialized view size.",
        ),
        (
            "CREATE MATERIALIZED VIEW size AS SELECT pages, count(*) FROM books GROUP BY id",
            "books.pages cannot be rebuilt while it is in use: materialized view size.",
        ),
        (
            "CREATE MATERIALIZED VIEW size AS SELECT * FROM books JOIN (SELECT pages FROM loans) l USING (pages)",
            "The materialized view public.size joins by USING",
        ),
    ],
)
def test_one_that_cannot_be_made_beforehand_is_named_and_nothing_is_changed(
    project: Project, database: str, before: str, problem: str
) -> None:
    write(project, database, Case("", CASE.upgrade, "pass", f"{BOOKS};{before}"))
    there = read_state(database)
    code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
    assert (code, problem in stderr) == (18, True), stderr
    same(there, read_state(database))
