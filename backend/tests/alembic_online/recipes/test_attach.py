"""A new partition whose rows lie in the default partition: moved with it where they are few, named before where not."""

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import Case
from tests.alembic_online.recipes.conftest import write
from tests.alembic_online.recipes.interruption import PATIENT, run_interrupted
from tests.alembic_online.recipes.state import read_state, same

LOGS = """
    CREATE TABLE logs (
        id integer PRIMARY KEY, "Line" text DEFAULT '12:30', day timestamp,
        twice integer GENERATED ALWAYS AS (id * 2) STORED
    ) PARTITION BY RANGE (id);
    CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (1) TO (10); CREATE TABLE rest PARTITION OF logs DEFAULT;
    INSERT INTO logs SELECT i, i, '2020-01-01 12:30' FROM generate_series(1, {rows}) i;
    CREATE TABLE logs_2 (
        twice integer GENERATED ALWAYS AS (id * 2) STORED, day timestamp, "Line" text, id integer NOT NULL);
"""
ATTACH = 'op.execute("ALTER TABLE logs ATTACH PARTITION logs_2 FOR VALUES FROM (10) TO (20000)")'
DETACH = 'op.execute("ALTER TABLE logs DETACH PARTITION logs_2")'
WHERE = "SELECT tableoid::regclass::text, count(*) FROM logs GROUP BY 1 ORDER BY 1"


@pytest.mark.parametrize("small", ["0", "1e9"])
def test_a_few_rows_go_over_with_it(project: Project, database: str, small: str) -> None:
    write(project, database, Case("", ATTACH, DETACH, LOGS.format(rows=30)))
    before = read_state(database).rows["rest"]
    project.alembic.having(MIGRATION_SMALL_TABLE_BYTES=small)(database, "upgrade", "head")
    with psycopg.connect(database) as session:
        assert session.execute(WHERE).fetchall() == [("logs_1", 9), ("logs_2", 21)]
    after = read_state(database).rows
    assert (after["rest"], after["logs_2"]) == ([], before)


@pytest.mark.prove
def test_they_are_there_once_though_its_session_ends_around_every_step(project: Project, database: str) -> None:
    write(project, database, Case("", ATTACH, DETACH, LOGS.format(rows=30)))
    assert run_interrupted(project, database, "upgrade", "head") > 0
    with psycopg.connect(database) as session:
        assert session.execute(WHERE).fetchall() == [("logs_1", 9), ("logs_2", 21)]


@pytest.mark.parametrize(
    ("before", "change", "says"),
    [
        (LOGS.format(rows=1100), ATTACH, "more than 1000 are moved at once from that"),
        (LOGS.format(rows=30) + "CREATE TABLE notes (log integer REFERENCES logs)", ATTACH, "foreign keys or triggers"),
        (
            LOGS.format(rows=30),
            'op.execute("CREATE TABLE logs_3 PARTITION OF logs FOR VALUES FROM (10) TO (20)")',
            "Make it a table of its own, then attach it",
        ),
    ],
)
def test_others_are_named_before_anything_is_changed(
    project: Project, database: str, before: str, change: str, says: str
) -> None:
    write(project, database, Case("", change, "pass", before))
    there = read_state(database)
    code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
    assert (code, says in stderr, "Traceback" in stderr) == (18, True, False), stderr
    same(there, read_state(database))


def test_a_revision_that_moves_them_itself_is_left_alone(project: Project, database: str) -> None:
    columns = 'id, \\"Line\\", day'
    moved = f"WITH moved AS (DELETE FROM rest RETURNING {columns})"
    move = f"{moved} INSERT INTO logs_2 ({columns}) SELECT {columns} FROM moved"
    upgrade = f'op.execute("{move}")\n    {ATTACH}'
    write(project, database, Case("", upgrade, DETACH, LOGS.format(rows=1100)))
    project.alembic.having(**PATIENT)(database, "upgrade", "head")
    with psycopg.connect(database) as session:
        assert session.execute(WHERE).fetchall() == [("logs_1", 9), ("logs_2", 1091)]


def test_its_own_rows_are_read_while_nobody_waits(project: Project, database: str) -> None:
    before = (
        "CREATE TABLE years (n integer) PARTITION BY RANGE (n); CREATE TABLE year_1 (n integer);"
        "INSERT INTO year_1 SELECT generate_series(1, 5); CREATE TABLE seen (scans bigint); CREATE FUNCTION look()"
        " RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF current_query() LIKE '%ATTACH%' THEN INSERT INTO seen"
        " SELECT pg_stat_get_xact_numscans('year_1'::regclass); END IF; END $$;"
        "CREATE EVENT TRIGGER before ON ddl_command_start EXECUTE FUNCTION look();"
        "CREATE EVENT TRIGGER after ON ddl_command_end EXECUTE FUNCTION look()"
    )
    attach = 'op.execute("ALTER TABLE years ATTACH PARTITION year_1 FOR VALUES FROM (1) TO (10)")'
    write(project, database, Case("", attach, "pass", before))
    project.alembic.having(**PATIENT)(database, "upgrade", "head")
    with psycopg.connect(database) as session:
        ((before_it,), (after_it,)) = session.execute("SELECT scans FROM seen ORDER BY ctid").fetchall()
        assert before_it == after_it
        assert session.execute("SELECT conname FROM pg_constraint WHERE conrelid = 'year_1'::regclass").fetchall() == []


def test_rows_outside_of_its_bound_are_named_before_anything_is_changed(project: Project, database: str) -> None:
    before = "CREATE TABLE years (n integer) PARTITION BY RANGE (n); CREATE TABLE year_1 AS SELECT 11 AS n"
    attach = 'op.execute("ALTER TABLE years ATTACH PARTITION year_1 FOR VALUES FROM (1) TO (10)")'
    write(project, database, Case("", attach, "pass", before))
    code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
    assert (code, "In the way of the bound of year_1: rows outside of it (1)" in stderr) == (18, True), stderr
