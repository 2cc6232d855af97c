"""A partition that is half detached: said by whoever looks, and nothing is changed until it is done."""

import threading
from contextlib import suppress

import psycopg
import pytest
from alembic.config import Config

from alembic_online.cli.main import main
from alembic_online.review.doctor.finding import Level
from alembic_online.revisions.project import open_project
from tests.alembic_online.project import Project
from tests.alembic_online.recipes.state import read_state, same
from tests.alembic_online.review.doctor.examined import examined
from tests.alembic_online.runner.processes import until

PARTS = """
    CREATE TABLE logs (id integer, line text) PARTITION BY RANGE (id);
    CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (1) TO (9);
    CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM (9) TO (99);
"""
SAYS = "DETACH CONCURRENTLY runs now or was interrupted: partition logs_1 of logs."
FINALIZE = "ALTER TABLE logs DETACH PARTITION logs_1 FINALIZE"


def _detach(session: psycopg.Connection) -> None:
    with suppress(psycopg.errors.QueryCanceled):
        session.execute("ALTER TABLE logs DETACH PARTITION logs_1 CONCURRENTLY")


@pytest.fixture
def half(project: Project, database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database with such a partition, at the first of two revisions."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.chdir(project.folder)
    made = "; ".join(f"op.execute('{sql.strip()}')" for sql in PARTS.split(";")[:3])
    project.revision("001_a", None, made, 'op.drop_table("logs")')
    project.revision("002_b", "001_a", 'op.add_column("logs", sa.Column("day", sa.Integer))')
    project.alembic(database, "upgrade", "001_a")
    with (
        psycopg.connect(database, autocommit=True) as session,
        psycopg.connect(database) as reader,
        psycopg.connect(database, autocommit=True) as detaching,
    ):
        reader.execute("SELECT * FROM logs")  # whom DETACH waits for between its two transactions
        thread = threading.Thread(target=_detach, args=[detaching])
        thread.start()
        until(lambda: session.execute("SELECT 1 FROM pg_inherits WHERE inhdetachpending").fetchone())
        detaching.cancel()
        thread.join()
    return database


def test_an_upgrade_is_refused_and_goes_on_when_it_is_done(project: Project, half: str) -> None:
    before = read_state(half)
    code, stderr = project.alembic.refused(half, "upgrade", "head")
    assert (code, SAYS in stderr, FINALIZE in stderr) == (15, True, True), stderr
    same(before, read_state(half))
    with psycopg.connect(half, autocommit=True) as session:
        session.execute(FINALIZE.encode())
    project.alembic(half, "upgrade", "head")


@pytest.mark.parametrize(
    "change",
    [
        'op.create_table("fresh", sa.Column("id", sa.Integer))',
        f"op.execute('{FINALIZE}'); op.add_column('logs', sa.Column('day', sa.Integer))",
        "op.execute('DROP TABLE logs_1'); op.alter_column('logs', 'line', nullable=False)",
    ],
)
def test_what_ends_it_or_has_nothing_to_do_with_it_runs(project: Project, half: str, change: str) -> None:
    project.revision("002_b", "001_a", change)
    project.alembic(half, "upgrade", "head")


def test_so_is_a_comparison_with_the_models(project: Project, half: str) -> None:
    code, stderr = project.alembic.refused(half, "check")
    assert (code, SAYS in stderr) == (15, True), stderr


@pytest.mark.parametrize("verb", ["plan", "drift"])
def test_so_is_every_verb_that_copies_or_compares_the_schema(
    half: str, verb: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([verb]) == 2
    said = capfd.readouterr().err
    assert SAYS in said
    assert FINALIZE in said
    assert "Traceback" not in said


def test_doctor_names_it_with_its_remedy(project: Project, half: str) -> None:
    found = examined(half, open_project(Config(project.folder / "alembic.ini")))
    assert (SAYS, f"{FINALIZE};") in [(each.words, each.remedy) for each in found if each.level is Level.WRONG]
