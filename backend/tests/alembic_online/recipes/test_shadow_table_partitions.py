"""A stored generated column on a table with partitions: each is rebuilt, and all are swapped at once."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import Case
from tests.alembic_online.recipes.conftest import Direct, both_ways_end_as_directly, the_way_up_converges, write
from tests.alembic_online.recipes.interruption import PATIENT
from tests.alembic_online.recipes.killed import Start, converges_though_killed
from tests.alembic_online.recipes.meanwhile import meanwhile
from tests.alembic_online.recipes.state import read_state, same
from tests.alembic_online.recipes.tables import LOGS
from tests.longer_proofs import every
from tests.servers import Server

TWICE = 'op.add_column("logs", sa.Column("twice", sa.Integer, sa.Computed("size * 2", persisted=True)))'
GONE = 'op.drop_column("logs", "twice")'
KEPT = """
    CREATE TABLE days (id integer PRIMARY KEY); INSERT INTO days SELECT generate_series(1, 98);
    CREATE INDEX twin ON logs_4 (size DESC, line) INCLUDE (kind) WHERE size > 3;
    COMMENT ON INDEX twin IS 'of its own';
    COMMENT ON TABLE logs_4 IS 'the rest';
    GRANT SELECT ON logs_1 TO PUBLIC;
    ALTER TABLE logs_1 SET (fillfactor = 70), ENABLE ROW LEVEL SECURITY;
    ALTER TABLE logs_4 REPLICA IDENTITY FULL;
    CREATE STATISTICS st_own ON size, day FROM logs_4;
    ALTER TABLE logs_1 ADD CONSTRAINT fk_own FOREIGN KEY (day) REFERENCES days ON DELETE CASCADE;
    CREATE SCHEMA "old ones"; CREATE TABLE "old ones".logs_1 PARTITION OF logs FOR VALUES FROM (100) TO (150);
    CREATE INDEX "I x" ON "old ones".logs_1 (touched);
    INSERT INTO logs (id, day, kind) VALUES (1, 120, 1);
    CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM logs;
    CREATE PUBLICATION first FOR TABLE logs_1 (id, day) WHERE (day > 2);
"""
CASES = [
    Case(
        "with everything that can hang on it and on its partitions",
        TWICE,
        GONE,
        LOGS + KEPT,
    ),
    Case(
        "by a hash, with an identity",
        TWICE,
        GONE,
        "CREATE TABLE logs (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, size integer) PARTITION BY HASH (id);"
        "CREATE TABLE logs_1 PARTITION OF logs FOR VALUES WITH (modulus 2, remainder 0);"
        "CREATE TABLE logs_2 PARTITION OF logs FOR VALUES WITH (modulus 2, remainder 1);"
        "INSERT INTO logs (size) SELECT generate_series(1, 90)",
    ),
]
EXPRESSION = Case(
    "its expression",
    'op.execute("ALTER TABLE logs ALTER COLUMN twice SET EXPRESSION AS (size * 3)")',
    'op.execute("ALTER TABLE logs ALTER twice SET EXPRESSION AS (size * 2)")',
    LOGS + "ALTER TABLE logs ADD twice integer GENERATED ALWAYS AS (size * 2) STORED; CREATE INDEX ON logs (twice)",
)


@pytest.mark.parametrize("case", every(2, CASES))
def test_it_ends_as_the_rewrite_does(project: Project, database: str, case: Case, directly: Direct) -> None:
    both_ways_end_as_directly(project, database, case, directly)


@pytest.mark.prove
def test_an_expression_ends_as_the_rewrite_does(
    project: Project, database: str, directly: Direct, server: Server
) -> None:
    if server.version < 17:
        pytest.skip("SET EXPRESSION is of PostgreSQL 17")
    both_ways_end_as_directly(project, database, EXPRESSION, directly)


@pytest.mark.prove
@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_converges_though_its_session_ends_around_every_step(
    project: Project, database: str, case: Case, directly: Direct
) -> None:
    the_way_up_converges(project, database, case, directly)


def test_what_others_do_meanwhile_is_there_and_no_row_is_read_under_the_lock(
    project: Project, database: str, directly: Direct
) -> None:
    case = replace(
        CASES[0], before=CASES[0].before + "DROP TABLE notes, marks; ALTER TABLE logs DROP CONSTRAINT fk_next;"
    )
    done = """
        CREATE TABLE logs_5 PARTITION OF logs FOR VALUES FROM (200) TO (300);
        INSERT INTO logs (id, day, kind, size) VALUES (500, 250, 1, 77), (1, 5, 1, 78), (70, 60, 1, 79);
        UPDATE logs SET day = 7 WHERE id = 40; UPDATE logs SET size = 700 WHERE id = 30;
        DELETE FROM logs WHERE id = 20; TRUNCATE "logs 3"; INSERT INTO logs (id, day, kind) VALUES (15, 15, 1)
    """
    up = directly.up(replace(case, before=case.before + done))
    write(project, database, case)
    todo, said = [done], list[str]()

    def listen(connection: Any, _: Any) -> None:
        connection.driver_connection.add_log_listener(lambda _, message: said.append(message.message))

    with psycopg.connect(database, autocommit=True) as other:
        other.execute(f'ALTER DATABASE "{other.info.dbname}" SET client_min_messages = debug1')

        def act() -> None:
            while todo:
                other.execute(todo.pop())

        event.listen(Engine, "connect", listen)
        with meanwhile(act, before="ANALYZE logs_4__new"):
            project.alembic.having(**PATIENT)(database.replace("postgresql:", "postgresql+asyncpg:"), "upgrade", "head")
        event.remove(Engine, "connect", listen)
        other.execute(f'ALTER DATABASE "{other.info.dbname}" RESET client_min_messages')
    same(up, read_state(database))
    read = {each for each in ("logs_1", "logs 3", "logs_4", "logs_5") if _is_implied(each) not in said}
    assert (todo, read) == ([], set())


def _is_implied(partition: str) -> str:
    return f'partition constraint for table "{partition}" is implied by existing constraints'


@pytest.mark.parametrize(
    ("before", "problem"),
    [
        ("ALTER TABLE logs DROP CONSTRAINT pk_logs, DROP CONSTRAINT uq_size CASCADE", "has no primary key"),
        ("CREATE MATERIALIZED VIEW first AS SELECT id FROM logs_1", "materialized view first"),
    ],
)
def test_where_a_partition_cannot_be_rebuilt_nothing_is_changed(
    project: Project, database: str, before: str, problem: str
) -> None:
    write(project, database, Case("", TWICE, "pass", LOGS + before))
    there = read_state(database)
    code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
    assert (code, problem in stderr, "Traceback" in stderr) == (18, True, False), stderr
    same(there, read_state(database))


@pytest.mark.prove
def test_it_converges_though_its_process_is_killed_around_every_step(
    project: Project, database: str, directly: Direct, start: Start
) -> None:
    converges_though_killed(start, project, database, CASES[0], directly)
