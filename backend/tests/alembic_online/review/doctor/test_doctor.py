"""`doctor` finds what is wrong, says how to mend it, and nothing that fails keeps it from the rest."""

import json

import psycopg
import pytest
from alembic.config import Config

from alembic_online.cli.main import main
from alembic_online.cli.verb import FOUND
from alembic_online.review.doctor import Finding, Level
from alembic_online.review.doctor.machine import settings
from alembic_online.revisions.project import open_project
from tests.alembic_online.project import Project as Sample
from tests.alembic_online.review.doctor.examined import examined
from tests.paths import BACKEND


def _wrong(found: list[Finding]) -> list[str]:
    return [f"{finding.about}: {finding.words}" for finding in found if finding.level is Level.WRONG]


def test_nothing_is_wrong_with_our_own_project_at_head(migrated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", migrated)
    found = examined(migrated, open_project(Config(BACKEND / "alembic.ini")))
    assert _wrong(found) == []
    assert {"PostgreSQL", "extension vector", "chain", "database"} <= {finding.about for finding in found}


def test_what_is_wrong_is_said_with_its_remedy(project: Sample, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    project.models('from alembic_online.postgres.declared import *\ndeclare(metadata, Extension("nowhere"))')
    project.revision("001_a")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (-1)")
        connection.execute("ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID")
    found = examined(database, open_project(Config(project.folder / "alembic.ini")))
    assert _wrong(found) == [
        "extension nowhere: is not on this server.",
        "database: The database has no table alembic_version: no migration has run in it.",
        "database: It has the NOT VALID constraint positive on t.",
    ]
    assert all(finding.remedy for finding in found if finding.level is Level.WRONG)


def test_a_publication_that_would_send_our_own_tables_is_noted(
    project: Sample, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (); CREATE PUBLICATION one FOR TABLE t")
        connection.execute(
            "CREATE PUBLICATION everything FOR ALL TABLES; CREATE PUBLICATION s FOR TABLES IN SCHEMA public"
        )
    found = examined(database, open_project(Config(project.folder / "alembic.ini")))
    said = [each.words.split()[1] for each in found if each.about == "replication"]
    assert said == ["everything", "s"]
    assert all("alembic_history" in each.remedy for each in found if each.about == "replication")


def test_a_misspelled_variable_is_found() -> None:
    found = list(settings({"MIGRATION_LOCK_TIMOUT": "1"}))
    assert _wrong(found) == ["settings: MIGRATION_LOCK_TIMOUT is set, and nothing reads it."]


def test_a_value_that_cannot_be_is_a_finding_and_no_end() -> None:
    assert [finding.level for finding in settings({"MIGRATION_LOCK_TIMEOUT": "soon"})] == [Level.WRONG]


def test_without_a_server_the_rest_is_looked_at_all_the_same(
    project: Sample, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nowhere")
    monkeypatch.setenv("MIGRATION_CONNECT_TIMEOUT", "0")
    monkeypatch.chdir(project.folder)
    assert main(["doctor", "--json"]) == FOUND
    found = json.loads(capsys.readouterr().out)
    assert [each["about"] for each in found if each["level"] == "fine"][:2] == ["Python", "libraries"]
    (wrong,) = [each for each in found if each["level"] == "wrong"]
    assert wrong["words"].startswith("Nobody answers for database 'nowhere'")
    assert wrong["remedy"]
