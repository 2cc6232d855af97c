"""NOT NULL where a constraint of PostgreSQL 18 says so already, and is NOT VALID."""

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.interruption import PATIENT
from tests.servers import Server

PARTS = """
    CREATE TABLE logs (id integer, line text) PARTITION BY RANGE (id);
    CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (1) TO (9);
    CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM (9) TO (99);
    INSERT INTO logs VALUES (1, 'a'), (9, 'b');
"""
FOUND = "ALTER TABLE logs{} ADD CONSTRAINT nn NOT NULL line NOT VALID"
STOCK = 'op.alter_column("logs", "line", nullable=False)'
NAMES = """
    SELECT conname, convalidated, bool_or(attnotnull) FROM pg_constraint JOIN pg_attribute
    ON attrelid = conrelid AND conkey = ARRAY[attnum]
    WHERE contype = 'n' AND attname = 'line' GROUP BY 1, 2 ORDER BY 1
"""


@pytest.fixture
def logs(database: str, server: Server) -> str:
    """The URL of a database in which such a thing can be."""
    if server.version < 18:
        pytest.skip("NOT NULL is no constraint before PostgreSQL 18")
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(PARTS)
    return database


@pytest.mark.parametrize("small", ["0", "1e9"])
@pytest.mark.parametrize("change", [STOCK, 'op.execute("ALTER TABLE logs ALTER line SET NOT NULL")'])
def test_it_is_held_against_the_rows_of_a_partition_whose_constraint_is_not_valid(
    project: Project, logs: str, change: str, small: str
) -> None:
    project.revision("001_a", upgrade=change)
    alembic = project.alembic.having(MIGRATION_SMALL_TABLE_BYTES=small)
    with psycopg.connect(logs, autocommit=True) as session:
        session.execute("UPDATE logs SET line = NULL WHERE id = 1; " + FOUND.format("_1"))
        code, stderr = alembic.refused(logs, "upgrade", "head")
        assert (code, "In the way of NOT NULL on logs.line: rows without a value (1)" in stderr) == (18, True), stderr
        session.execute("UPDATE logs SET line = 'a' WHERE id = 1")
        alembic(logs, "upgrade", "head")
        assert session.execute(NAMES).fetchall() == [("logs_line_not_null", True, True), ("nn", True, True)]


def test_what_passes_by_the_rows_of_a_partition_is_not_stamped(project: Project, logs: str) -> None:
    # Two actions, which run as they stand.
    change = "ALTER TABLE logs ALTER line SET NOT NULL, ALTER id SET NOT NULL"
    project.revision("001_a", upgrade=f'op.execute("{change}")')
    with psycopg.connect(logs, autocommit=True) as session:
        session.execute("UPDATE logs SET line = NULL WHERE id = 1; " + FOUND.format("_1"))
        code, stderr = project.alembic.refused(logs, "upgrade", "head")
        assert (code, "NOT VALID constraint nn on logs_1 below the NOT NULL of logs" in stderr) == (18, True), stderr
        assert session.execute(NAMES).fetchall() == [("nn", False, True)]


@pytest.mark.parametrize("before", [FOUND.format(""), f"{FOUND.format('_2')}; {FOUND.format('')}"])
def test_a_constraint_of_another_name_is_validated_and_keeps_its_name(project: Project, logs: str, before: str) -> None:
    project.revision("001_a", upgrade=STOCK)
    with psycopg.connect(logs, autocommit=True) as session:
        session.execute(before)
        project.alembic.having(**PATIENT)(logs, "upgrade", "head")
        assert session.execute(NAMES).fetchall() == [("nn", True, True)]


def test_so_is_that_of_a_primary_key(project: Project, logs: str) -> None:
    project.revision("001_a", upgrade='op.create_primary_key("pk", "lines", ["line"])')
    with psycopg.connect(logs, autocommit=True) as session:
        session.execute("CREATE TABLE lines (line text); INSERT INTO lines VALUES ('a')")
        session.execute("ALTER TABLE lines ADD CONSTRAINT nn NOT NULL line NOT VALID")
        project.alembic.having(**PATIENT)(logs, "upgrade", "head")
        assert session.execute(NAMES).fetchall() == [("nn", True, True)]
