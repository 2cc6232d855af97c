"""A type change that rewrites, on tables with partitions or children: a column is rebuilt in each of them."""

from dataclasses import replace

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import Case
from tests.alembic_online.recipes.conftest import Direct, both_ways_end_as_directly, the_way_up_converges, write
from tests.alembic_online.recipes.interruption import PATIENT
from tests.alembic_online.recipes.killed import Start, converges_though_killed
from tests.alembic_online.recipes.meanwhile import meanwhile
from tests.alembic_online.recipes.state import read_state, same
from tests.alembic_online.recipes.tables import LOGS
from tests.longer_proofs import every

MEDIA = """
    CREATE TABLE media (id integer PRIMARY KEY, pages integer NOT NULL DEFAULT 1 CONSTRAINT ck_pages CHECK (pages > 0));
    CREATE TABLE books (isbn text UNIQUE) INHERITS (media);
    CREATE TABLE comics (CONSTRAINT ck_comics CHECK (pages < 999), CONSTRAINT uq_pages UNIQUE (pages, id))
        INHERITS (books);
    CREATE INDEX ix_pages ON media (pages);
    CREATE INDEX ix_books ON books (pages) WHERE pages > 3;
    ALTER TABLE comics ALTER pages SET DEFAULT 30;
    COMMENT ON COLUMN books.pages IS 'printed';
    CREATE VIEW printed AS SELECT id, pages FROM books;
    INSERT INTO media SELECT i, i FROM generate_series(1, 30) i;
    INSERT INTO books SELECT i, i, i FROM generate_series(31, 60) i;
    INSERT INTO comics SELECT i, i, i FROM generate_series(61, 90) i;
"""
CASES = [
    Case(
        "a column with everything that can hang on one",
        'op.alter_column("logs", "size", type_=sa.BigInteger())',
        'op.alter_column("logs", "size", type_=sa.Integer())',
        LOGS,
    ),
    Case(
        "part of the primary key, by an expression",
        'op.alter_column("logs", "id", type_=sa.BigInteger(), postgresql_using="id + 0 * day")',
        'op.alter_column("logs", "id", type_=sa.Integer())',
        LOGS.replace("PARTITION BY RANGE (id)", "PARTITION BY RANGE (day)")
        .replace("FROM (0) TO (50)", "FROM (9) TO (50)")
        .replace("CREATE TABLE logs (", "CREATE SEQUENCE logs_id; CREATE TABLE logs (")
        .replace("id integer NOT NULL, day", "id integer NOT NULL DEFAULT nextval('logs_id'), day")
        + "ALTER SEQUENCE logs_id OWNED BY logs.id",
    ),
    Case(
        "a column that refers to another table",
        'op.alter_column("logs", "kind", type_=sa.SmallInteger())',
        'op.alter_column("logs", "kind", type_=sa.Integer())',
        LOGS + "DROP STATISTICS st_size; COMMENT ON INDEX ix_size IS NULL",
    ),
    Case(
        "a column that others inherit",
        'op.alter_column("media", "pages", type_=sa.BigInteger())',
        'op.alter_column("media", "pages", type_=sa.Integer())',
        MEDIA,
    ),
]


@pytest.mark.parametrize("case", every(len(CASES), CASES))
def test_it_ends_as_the_rewrite_does(project: Project, database: str, case: Case, directly: Direct) -> None:
    both_ways_end_as_directly(project, database, case, directly)


@pytest.mark.prove
@pytest.mark.parametrize("case", [CASES[0], CASES[2], CASES[3]], ids=str)
def test_it_converges_though_its_session_ends_around_every_step(
    project: Project, database: str, case: Case, directly: Direct
) -> None:
    the_way_up_converges(project, database, case, directly)


def test_an_expression_that_no_partition_knows_is_refused_before_anything_is_changed(
    project: Project, database: str
) -> None:
    change = 'op.alter_column("logs", "size", type_=sa.BigInteger(), postgresql_using="logs.size + 0")'
    write(project, database, Case("", change, "pass", LOGS))
    there = read_state(database)
    code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
    assert (code, 'missing FROM-clause entry for table "logs"' in stderr) == (18, True), stderr
    same(there, read_state(database))


def test_what_is_written_meanwhile_is_in_step_in_every_partition(project: Project, database: str) -> None:
    write(project, database, CASES[0])
    code, _ = project.alembic.having(**PATIENT, MIGRATION_BACKFILL_UPGRADE_SECONDS="0").refused(
        database, "upgrade", "head"
    )
    assert code == 21
    with psycopg.connect(database, autocommit=True) as session:
        session.execute("INSERT INTO logs VALUES (200, 5, 1, 500), (200, 98, 1, 500)")
        session.execute("DELETE FROM marks; DELETE FROM notes; UPDATE logs SET next = NULL")
        session.execute("UPDATE logs SET size = 600, day = 8 WHERE id = 40")
        kept = session.execute("SELECT count(*), bool_and(size = size__new) FROM logs WHERE size > 300").fetchone()
        assert kept == (3, True)
    project.alembic.having(**PATIENT)(database, "upgrade", "head")


@pytest.mark.prove
@pytest.mark.parametrize("first", ["CREATE OR REPLACE FUNCTION", "ANALYZE logs"])
def test_what_others_make_meanwhile_is_not_lost(project: Project, database: str, directly: Direct, first: str) -> None:
    made = """
        CREATE TABLE logs_5 PARTITION OF logs FOR VALUES FROM (200) TO (300); CREATE INDEX ix_late ON logs_1 (size);
        ALTER TABLE logs_5 ADD CONSTRAINT ck_late CHECK (size > 1); CREATE INDEX ix_new ON logs_5 (size, day);
        INSERT INTO logs VALUES (500, 250, 1, 77), (1, 5, 1, 78)
    """
    up = directly.up(replace(CASES[0], before=LOGS + made))
    write(project, database, CASES[0])
    todo = [made]
    with psycopg.connect(database, autocommit=True) as other:

        def act() -> None:
            while todo:
                other.execute(todo.pop())

        with meanwhile(act, before=first):
            project.alembic.having(**PATIENT)(database, "upgrade", "head")
    assert not todo
    same(up, read_state(database))


@pytest.mark.parametrize(
    ("change", "before", "problem"),
    [
        ('op.alter_column("logs", "day", type_=sa.BigInteger())', "", "it says to which partition a row belongs"),
        ('op.alter_column("logs", "id", type_=sa.BigInteger())', "", "it says to which partition a row belongs"),
        (
            'op.alter_column("logs_1", "size", type_=sa.BigInteger())',
            "",
            "the table has it from the one above it: change that one",
        ),
        (
            CASES[0].upgrade,
            "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER elsewhere FOREIGN DATA WRAPPER w;"
            "DROP TABLE marks, notes; DROP TRIGGER resized ON logs; DROP TRIGGER touch ON logs; ALTER TABLE logs"
            " DROP CONSTRAINT fk_next, DROP CONSTRAINT uq_size, DROP CONSTRAINT pk_logs, DROP CONSTRAINT fk_kind;"
            "CREATE FOREIGN TABLE far PARTITION OF logs FOR VALUES FROM (99) TO (999) SERVER elsewhere",
            "far is a foreign table",
        ),
        (
            CASES[0].upgrade,
            "ALTER TABLE logs RENAME TO other; CREATE TABLE logs (size integer); INSERT INTO logs VALUES (1);"
            "CREATE TABLE c (size integer) INHERITS (logs)",
            "c has it from elsewhere too",
        ),
    ],
)
def test_what_cannot_be_rebuilt_is_named_before_anything_is_changed(
    project: Project, database: str, change: str, before: str, problem: str
) -> None:
    write(project, database, Case("", change, "pass", LOGS + before))
    there = read_state(database)
    code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
    assert (code, f"while it is in use: {problem}." in stderr) == (18, True), stderr
    same(there, read_state(database))


@pytest.mark.prove
def test_it_converges_though_its_process_is_killed_around_every_step(
    project: Project, database: str, directly: Direct, start: Start
) -> None:
    converges_though_killed(start, project, database, CASES[0], directly)
