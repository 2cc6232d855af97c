"""`python -m src.safety`, the command's old name, goes on working for a release and says its new one."""

import subprocess
import sys

import pytest

from tests.paths import BACKEND

pytestmark = pytest.mark.programs


def test_the_old_name_of_the_command_says_the_new_one_and_works() -> None:
    command = [sys.executable, "-m", "src.safety", "--help"]
    done = subprocess.run(command, cwd=BACKEND, capture_output=True, text=True, check=True)
    assert "python -m alembic_online" in done.stderr
    assert "usage: alembic-online" in done.stdout
