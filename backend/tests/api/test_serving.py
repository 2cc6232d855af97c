"""Promise: `uvicorn src.api.app:create_app --factory --app-dir backend` serves and stops; an import does nothing."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.paths import BACKEND

pytestmark = pytest.mark.programs
PATIENCE = 90  # seconds until a process that does neither start nor stop is killed

OPENING = ("socket.connect", "subprocess.Popen", "os.posix_spawn")
IMPORT_UNDER_AUDIT = f"""
import sys
opened = []
sys.addaudithook(lambda event, _: opened.append(event) if event in {OPENING!r} else None)
from src.api.app import create_app
from src.settings import Settings
create_app(Settings("postgresql://127.0.0.1:1/x", "postgresql://127.0.0.1:1/x"))
sys.exit(f"opened: {{opened}}" if opened else 0)
"""


@contextmanager
def uvicorn(url: str, *, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """The documented command, on a free port; killed if it outlives `PATIENCE`."""
    command = ["uvicorn", "src.api.app:create_app", "--factory", "--app-dir", str(BACKEND), "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=cwd,
        env=os.environ | {"DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    killer = threading.Timer(PATIENCE, process.kill)
    killer.start()
    with process:
        try:
            yield process
        finally:
            process.kill()
            killer.cancel()


def read_address(process: subprocess.Popen[str]) -> str:
    """The address that it serves on, from its own log."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"running on (http://\S+)", line):
            return found[1]
    raise AssertionError("uvicorn ended before it served")


def poll(address: str) -> httpx.Response:
    """The first 200 of /readyz, or the last answer when patience ends."""
    deadline = time.monotonic() + PATIENCE
    while (answer := httpx.get(f"{address}/readyz")).status_code != 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def test_the_documented_command_serves_a_migrated_database_and_stops(migrated: str, tmp_path: Path) -> None:
    with uvicorn(migrated, cwd=tmp_path) as process:
        address = read_address(process)
        assert poll(address).json()["status"] == "ready"
        assert httpx.get(f"{address}/livez").status_code == 200
        process.send_signal(signal.SIGTERM)
        log, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode in (0, -signal.SIGTERM)  # uvicorn passes the signal on to itself when it has stopped
    assert '"GET /readyz HTTP/1.1" 200' in log, "uvicorn's own loggers are heard"
    assert "Application shutdown complete" in log
    assert "Traceback" not in log


def test_a_url_that_cannot_be_used_ends_the_start_with_its_sentence(tmp_path: Path) -> None:
    with uvicorn("postgresql://role:se@kret@host/course", cwd=tmp_path) as process:
        log, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode not in (0, -signal.SIGKILL)
    assert "DATABASE_URL is ambiguous" in log
    assert "kret" not in log
    assert "Traceback" not in log
    assert len(log.splitlines()) <= 8


def test_importing_and_making_the_application_opens_nothing_and_reads_no_settings(tmp_path: Path) -> None:
    unusable = {"DATABASE_URL": "", "PYTHONPATH": str(BACKEND)}
    ended = subprocess.run(
        [sys.executable, "-c", IMPORT_UNDER_AUDIT],
        cwd=tmp_path,
        env=os.environ | unusable,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert list(tmp_path.iterdir()) == []
