"""schema.sql and schema.md show what the head revision makes, and a reviewer sees in them what a revision does."""

import psycopg
import pytest
from alembic.config import Config
from sqlalchemy import Connection, create_engine, pool

from src.postgres.catalogue import Kind, compare, describe, read_catalogue
from src.postgres.scratch import read_place
from src.safety.history import BOOKKEEPING
from src.safety.project import Project, open_project
from src.safety.snapshot import snapshot, stale
from tests.conftest import BACKEND


@pytest.fixture
def opened(migrated: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Our own chain, with its scratch databases on the test's server."""
    monkeypatch.setenv("DATABASE_URL", migrated)
    return open_project(Config(BACKEND / "alembic.ini"))


def test_both_files_are_up_to_date(opened: Project, migrated_connection: Connection) -> None:
    found = [path.name for path in stale(snapshot(opened, read_place(migrated_connection)))]
    assert found == [], "Run in backend/: python -m src.safety snapshot"


def test_schema_sql_makes_what_the_chain_makes(opened: Project, database: str, migrated_connection: Connection) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute((opened.folder / "schema.sql").read_bytes())
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
    with engine.connect() as connection:
        made = read_catalogue(connection)
    wanted = read_catalogue(migrated_connection, ignore_tables=BOOKKEEPING)
    differences = [
        each for each in compare(wanted, made) if each.identity.kind is not Kind.EXTENSION
    ]  # 001 signs its own
    assert describe(differences) == ""
