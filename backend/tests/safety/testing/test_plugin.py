"""Another project, with models and revisions of its own, uses the kit as its pages say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from src.safety.testing import CHECKS
from tests.conftest import BACKEND
from tests.safety.testing.defects import DEFECTS, SOUND, Defect
from tests.safety.testing.proof import planted

TESTS = "from src.safety.testing import test_migrations\n\n__all__ = ['test_migrations']\n"


def pytest_of(defect: Defect, database: str, *options: str) -> str:
    """What pytest prints in the project's own folder."""
    with planted(defect) as project:
        Path(project.folder, "test_migrations.py").write_text(TESTS)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "src.safety.testing.plugin", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [*command, "--rootdir", ".", *options, "test_migrations.py"],
            cwd=project.folder,
            env={**os.environ, "PYTHONPATH": str(BACKEND), "DATABASE_URL": database},
            capture_output=True,
            text=True,
            check=False,
        )
    return done.stdout


def test_a_sound_project_passes_every_check(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    assert f"{len(CHECKS)} passed" in pytest_of(SOUND, database)


def test_a_defect_is_said_in_words(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    (gap,) = [each for each in DEFECTS if each.what == "a gap in the numbers"]
    assert "004_nicknames: is number 2 of the chain" in pytest_of(gap, database, "-k", "numbering")
