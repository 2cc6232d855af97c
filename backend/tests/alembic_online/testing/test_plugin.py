"""Another project, with models and revisions of its own, uses the kit as its pages say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from alembic_online.testing import CHECKS
from tests.alembic_online.testing.defects import DEFECTS, SOUND, Defect
from tests.alembic_online.testing.proof import planted
from tests.paths import BACKEND

TESTS = "from alembic_online.testing import test_migrations\n\n__all__ = ['test_migrations']\n"


def pytest_of(defect: Defect, database: str, *options: str) -> str:
    """What pytest prints in the project's own folder."""
    with planted(defect) as project:
        Path(project.folder, "test_migrations.py").write_text(TESTS)
        plugins = ("-p", "alembic_online.testing.plugin", "-p", "no:cacheprovider")
        command = [sys.executable, "-m", "pytest", "-q", *plugins]
        done = subprocess.run(
            [*command, "--rootdir", ".", *options, "test_migrations.py"],
            cwd=project.folder,
            env={**os.environ, "PYTHONPATH": str(BACKEND), "DATABASE_URL": database},
            capture_output=True,
            text=True,
            check=False,
        )
    return done.stdout


@pytest.mark.prove
def test_a_sound_project_passes_every_check(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    assert f"{len(CHECKS)} passed" in pytest_of(SOUND, database)


def test_a_defect_is_said_in_words(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    (gap,) = [each for each in DEFECTS if each.what == "a gap in the numbers"]
    assert "004_nicknames: is number 2 of the chain" in pytest_of(gap, database, "-k", "numbering")
