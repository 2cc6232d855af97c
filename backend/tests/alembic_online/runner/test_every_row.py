"""Rows that a policy hides from the role are not passed over: they count, or it is said that they are not seen."""

import secrets
from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import Connection

from alembic_online.recipes.precheck import Obstacle
from alembic_online.runner.data_loss import losses
from alembic_online.sample_rows.tables import read_tables
from alembic_online.testing.row_snapshot import read_contents
from tests.alembic_online.project import Project

FORCED = "ALTER TABLE {0} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"


@pytest.fixture
def owner(connection: Connection) -> Callable[..., object]:
    """Runs SQL as a role under FORCE ROW LEVEL SECURITY, which owns a table that holds a row and an empty one."""
    run = connection.exec_driver_sql
    run("CREATE ROLE under_force; GRANT CREATE ON SCHEMA public TO under_force; SET ROLE under_force")
    run("CREATE TABLE filled (id int, n int); INSERT INTO filled VALUES (1, NULL); CREATE TABLE empty (id int)")
    run(FORCED.format("filled"))
    run(FORCED.format("empty"))
    assert run("SELECT count(*) FROM filled").scalar() == 0
    return run


def test_they_count_as_lost_unless_there_can_be_none(connection: Connection, owner: Callable[..., object]) -> None:
    found = [str(loss) for loss in losses(connection, "DROP TABLE filled, empty; ALTER TABLE filled DROP id")]
    assert found == [
        "table filled: rows that this role may not see",
        "column filled.id: values that this role may not see",
    ]
    owner("SELECT 1")  # the transaction goes on, with the policies that it had
    assert owner("SHOW row_security").scalar() == "on"  # type: ignore[attr-defined]


def test_what_only_looks_leaves_it_to_the_constraint(connection: Connection, owner: Callable[..., object]) -> None:
    Obstacle(what="n", found="rows without n", select="SELECT id FROM filled WHERE n IS NULL").look(connection)
    owner("ALTER TABLE filled NO FORCE ROW LEVEL SECURITY")
    with pytest.raises(Exception, match="In the way of n: rows without n"):
        Obstacle(what="n", found="rows without n", select="SELECT id FROM filled WHERE n IS NULL").look(connection)


def test_the_kit_sees_them(connection: Connection, owner: Callable[..., object]) -> None:
    assert read_contents(connection, read_tables(connection).values())["filled"].total() == 1
    assert owner("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'filled'").scalar()  # type: ignore[attr-defined]


def test_a_downgrade_is_refused_and_a_constraint_says_that_rows_are_hidden(project: Project, database: str) -> None:
    role = f"owner_{secrets.token_hex(4)}"
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(f"CREATE ROLE {role}")
        session.execute(f"GRANT CREATE ON SCHEMA public TO {role}")
        session.execute(f"GRANT CREATE ON DATABASE {session.info.dbname} TO {role}")
        session.execute(f"ALTER DATABASE {session.info.dbname} SET role = {role}")
    make = 'op.execute("CREATE TABLE b (id int, n int); INSERT INTO b VALUES (1, NULL)")'
    project.revision("001_a", None, f'{make}\n    op.execute("{FORCED.format("b")}")', 'op.drop_table("b")')
    project.revision("002_b", "001_a", 'op.alter_column("b", "n", nullable=False)')
    project.alembic(database, "upgrade", "001_a")
    refused = project.alembic.having()
    assert "Rows in the way: not shown" in refused.refused(database, "upgrade", "head").stderr
    code, stderr = refused.refused(database, "downgrade", "base")
    assert (code, "table b: rows that this role may not see" in stderr) == (19, True), stderr
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(f"SET ROLE NONE; ALTER DATABASE {session.info.dbname} RESET role; DROP OWNED BY {role} CASCADE")
        session.execute(f"DROP ROLE {role}")
