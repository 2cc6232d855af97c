"""What the container runs: it migrates and then serves, and a stop reaches whichever of the two is running."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.error import URLError

import psycopg
import pytest

from alembic_online.runtime.advisory_lock import MIGRATOR, lock_space
from tests.paths import BACKEND

pytestmark = pytest.mark.programs


def started(url: str, port: int = 0) -> subprocess.Popen[str]:
    """The script, in a session of its own as in a container."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = os.environ | {"DATABASE_URL": url, "PATH": path, "HOST": "127.0.0.1", "PORT": str(port)}
    return subprocess.Popen(
        ["sh", "start.sh"], cwd=BACKEND, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_a_stop_during_the_migration_stops_it_in_words_and_serves_nothing(migrated: str) -> None:
    with psycopg.connect(migrated, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [lock_space("alembic_version", None), MIGRATOR])
        running = started(migrated)
        assert running.stdout is not None
        while "Waiting for another migration" not in (line := running.stdout.readline()):
            assert line, "it ended before it waited"
        running.send_signal(signal.SIGTERM)
        output = running.communicate(timeout=30)[0]
    assert running.returncode == 143, output
    assert "Stopped by SIGTERM" in output
    assert "Uvicorn" not in output


def test_it_migrates_and_then_serves_until_it_is_stopped(database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = started(database, port)
    while (answer := _readyz(port)) != 200:
        assert running.poll() is None, f"it ended, and /readyz said {answer}"
    running.send_signal(signal.SIGTERM)
    output = running.communicate(timeout=30)[0]
    assert "Running upgrade  -> 001_initial_schema" in output
    assert "Application shutdown complete" in output


def test_a_migration_that_fails_serves_nothing() -> None:
    running = started("postgresql://nobody@localhost:1/none")
    output = running.communicate(timeout=30)[0]
    assert (running.returncode, "Nobody answers" in output, "Uvicorn" in output) == (11, True, False)


def _readyz(port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return int(answer.status)
    except URLError:
        return 0
