"""A foreign key that is NOT ENFORCED, and then is (PostgreSQL 18)."""

import psycopg
import pytest
from alembic.config import Config

from alembic_online.review.lint.check import check, choose
from alembic_online.revisions.project import open_project
from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import Case
from tests.alembic_online.recipes.conftest import Direct, both_ways_converge, write
from tests.alembic_online.recipes.interruption import PATIENT
from tests.alembic_online.recipes.statements import statements
from tests.alembic_online.review.lint.place import place_of
from tests.servers import Server

ENFORCED = 'op.execute("ALTER TABLE books ALTER CONSTRAINT fk ENFORCED")'
BACK = 'op.execute("ALTER TABLE books ALTER CONSTRAINT fk NOT ENFORCED")'
FK = "author integer CONSTRAINT fk REFERENCES authors ON DELETE CASCADE DEFERRABLE NOT ENFORCED"
AUTHORS = "CREATE TABLE authors (id integer PRIMARY KEY); INSERT INTO authors SELECT generate_series(1, 9);"
ROWS = "INSERT INTO books VALUES (1, 1), (2, 2);"
PARTS = """
    CREATE TABLE books_1 PARTITION OF books FOR VALUES FROM (1) TO (2); CREATE TABLE rest PARTITION OF books DEFAULT;
    ALTER TABLE books_1 RENAME CONSTRAINT fk TO fk_1;
"""
CASES = [
    Case(
        "of a table",
        ENFORCED,
        BACK,
        f"{AUTHORS} CREATE TABLE books (id integer, {FK}); {ROWS} COMMENT ON CONSTRAINT fk ON books IS 'it''s known'",
    ),
    Case(
        "of partitions",
        ENFORCED,
        BACK,
        f"{AUTHORS} CREATE TABLE books (id integer, {FK}) PARTITION BY RANGE (id); {PARTS} {ROWS}",
    ),
]


@pytest.fixture(autouse=True)
def _is_18(server: Server) -> None:
    if server.version < 18:
        pytest.skip("every constraint is enforced before PostgreSQL 18")


@pytest.mark.parametrize("case", CASES, ids=str, scope="module")
def test_it_ends_as_the_one_statement_does(project: Project, database: str, case: Case, directly: Direct) -> None:
    both_ways_converge(project, database, case, directly)


@pytest.mark.parametrize("case", CASES, ids=str, scope="module")
def test_the_rows_are_read_while_nobody_waits(project: Project, database: str, case: Case) -> None:
    write(project, database, case)
    with statements() as sent:
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
    assert "ALTER TABLE books VALIDATE CONSTRAINT fk" in sent
    assert not any("ALTER CONSTRAINT" in each for each in sent)


def test_rows_in_its_way_are_named_before_anything_is_changed(project: Project, database: str) -> None:
    write(project, database, CASES[0])
    with psycopg.connect(database, autocommit=True) as session:
        session.execute("INSERT INTO books VALUES (3, 77)")
        code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
        assert (code, "rows that refer to nothing in authors (1)" in stderr) == (18, True), stderr
        found = session.execute("SELECT conenforced FROM pg_constraint WHERE conname = 'fk'").fetchall()
    assert found == [(False,)]


def test_lint_has_nothing_against_it(project: Project, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [f"op.execute('{each.strip()}')" for each in CASES[0].before.split(";")[:3:2]]
    gone = "op.execute('DROP TABLE books'); op.execute('DROP TABLE authors')"
    project.revision("001_a", None, "; ".join(made), gone)
    project.revision("002_b", "001_a", ENFORCED, BACK)
    monkeypatch.setenv("DATABASE_URL", database)
    opened = open_project(Config(project.folder / "alembic.ini"))
    found = check(opened, place_of(database), choose(opened, "001_a:", ()))
    assert [each.what for each in found if each.rule.code == "blocking"] == []


@pytest.mark.prove
def test_a_key_without_overlaps_is_added_as_it_stands(project: Project, database: str, directly: Direct) -> None:
    """It is no index's, so there is nothing that could be built beforehand."""
    table = "CREATE TABLE books (shelf int4range, during daterange);"
    table += "INSERT INTO books VALUES ('[1,2)', '[2026-01-01,2026-02-01)')"
    add = 'op.execute("ALTER TABLE books ADD CONSTRAINT k UNIQUE (shelf, during WITHOUT OVERLAPS)")'
    back = 'op.execute("ALTER TABLE books DROP CONSTRAINT k")'
    both_ways_converge(project, database, Case("without overlaps", add, back, table), directly)
