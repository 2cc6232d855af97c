"""`drift` holds a database against what its revision made."""

import psycopg
import pytest
from alembic.config import Config
from sqlalchemy import create_engine, pool

from src.safety.drift import Drift, find_drift
from src.safety.errors import DatabaseMismatch
from src.safety.plan.rehearse import read_live
from src.safety.project import open_project
from tests.safety.project import Project


@pytest.fixture
def chain(project: Project, database: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two revisions; the database is at the first."""
    monkeypatch.setenv("DATABASE_URL", database)
    table = 'op.create_table("{0}", sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.String(9)))'
    project.revision("001_a", None, table.format("a"), 'op.drop_table("a")')
    project.revision("002_b", "001_a", table.format("b"), 'op.drop_table("b")')
    project.alembic(database, "upgrade", "001_a")
    return project


def _drift(project: Project, database: str, *heads: str) -> Drift:
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
    with engine.connect() as connection:
        live = read_live(connection, heads)
    return find_drift(open_project(Config(project.folder / "alembic.ini")), live)


def test_a_database_below_head_that_is_as_its_revision_made_it_has_not_drifted(chain: Project, database: str) -> None:
    assert _drift(chain, database, "001_a") == Drift([], "")


def test_what_somebody_changed_by_hand_is_said_and_its_repair_repairs_it(chain: Project, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ALTER TABLE a ALTER a TYPE text; ALTER TABLE a ADD extra int; CREATE INDEX ON a (a)")
        found = _drift(chain, database, "001_a")
        assert [str(difference) for difference in found.differences] == [
            "a: column a: type text -> varchar(9)",
            "a: column extra: removed",
            "a: index a_a_idx: removed",
        ]
        connection.execute(found.repair.encode())
    assert _drift(chain, database, "001_a").differences == []


def test_a_database_at_no_revision_has_nothing_to_drift_from(chain: Project, database: str) -> None:
    with pytest.raises(DatabaseMismatch):
        _drift(chain, database)
