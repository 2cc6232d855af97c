"""Told to stop, a verb that tries revisions out ends at once, says so in a sentence, and leaves no database behind."""

import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.runner.processes import until
from tests.paths import BACKEND

LONG = "op.execute('SELECT pg_sleep(600)')"
ASLEEP = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND wait_event = 'PgSleep'"
SCRATCH = "SELECT datname FROM pg_database WHERE datname LIKE 'online_scratch_%'"


@pytest.mark.parametrize(
    ("verb", "number"),
    [
        pytest.param("lint all", signal.SIGINT, marks=[pytest.mark.prove]),
        ("plan", signal.SIGTERM),
        pytest.param("plan --apply-and-rollback", signal.SIGINT, marks=[pytest.mark.prove]),
        pytest.param("audit", signal.SIGTERM, marks=[pytest.mark.prove]),
        pytest.param("drift", signal.SIGTERM, marks=[pytest.mark.prove]),
        pytest.param("snapshot", signal.SIGINT, marks=[pytest.mark.prove]),
    ],
)
def test_it_ends_at_once(project: Project, database: str, verb: str, number: signal.Signals) -> None:
    project.revision("001_a", None, LONG)
    project.revision("002_b", "001_a", LONG)
    with psycopg.connect(database, autocommit=True) as session:
        session.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        session.execute("INSERT INTO alembic_version VALUES ('001_a')")
        before = set(session.execute(SCRATCH).fetchall())
        environment = {**os.environ, "DATABASE_URL": database, "PYTHONPATH": str(BACKEND)}
        if verb == "audit":
            environment["MIGRATION_SCRATCH_URL"] = database
        command = [sys.executable, "-m", "alembic_online", *verb.split()]
        with subprocess.Popen(
            command, cwd=project.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as running:
            until(lambda: session.execute(ASLEEP).fetchone())
            begun = time.monotonic()
            running.send_signal(number)
            stdout, stderr = running.communicate(timeout=60)
        assert (running.returncode, stdout) == (128 + number, "")
        assert stderr == f"Stopped by {number.name}: {verb.split()[0]}. Run the same command again.\n"
        assert time.monotonic() - begun < 30  # of the revision's 600
        assert set(session.execute(SCRATCH).fetchall()) <= before
