"""schema.sql and schema.md show what the head revision makes, and a reviewer sees in them what a revision does."""

import psycopg
import pytest
from alembic.config import Config
from sqlalchemy import Connection, create_engine, pool

from alembic_online.postgres.catalogue import Kind, compare, describe, read_catalogue
from alembic_online.postgres.scratch import read_place
from alembic_online.review.snapshot import snapshot, stale
from alembic_online.revisions.project import Project, open_project
from alembic_online.runtime.history import BOOKKEEPING
from tests.paths import BACKEND


@pytest.fixture
def opened(migrated: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Our own chain, with its scratch databases on the test's server."""
    monkeypatch.setenv("DATABASE_URL", migrated)
    return open_project(Config(BACKEND / "alembic.ini"))


def test_both_files_are_up_to_date(opened: Project, migrated_connection: Connection) -> None:
    found = [path.name for path in stale(snapshot(opened, read_place(migrated_connection)))]
    assert found == [], "Run in backend/: python -m alembic_online snapshot"


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
