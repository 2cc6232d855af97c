"""What a migration does is seen on the command line, whatever the layout; a program's loggers stay its own."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from alembic import command
from alembic.config import Config

from tests.alembic_command import Alembic
from tests.alembic_online.project import Project
from tests.paths import BACKEND

SECTIONS = (BACKEND / "migrations" / "alembic.ini").read_text().partition("revision_environment = true\n")[2]
RUNNING = "Running upgrade  -> 001_a"


@contextmanager
def nobody_logs() -> Iterator[None]:
    """As in a new process: the test's own handlers are out of sight."""
    alembic = logging.getLogger("alembic")
    with patch.object(logging.root, "handlers", []), patch.object(alembic, "handlers", []):
        level, root = alembic.level, logging.root.level
        yield
        alembic.setLevel(level)
        logging.root.setLevel(root)


@pytest.mark.parametrize("layout", ["the ini in use", "env.py's neighbour", "nowhere"])
def test_progress_is_seen(project: Project, database: str, layout: str) -> None:
    project.revision("001_a")
    ini = project.folder / "alembic.ini"
    text = ini.read_text()
    if layout == "env.py's neighbour":
        ini.write_text(text + SECTIONS)
        ini = project.folder.parent / f"{project.folder.name}.ini"
        text = text.replace("%(here)s", f"%(here)s/{project.folder.name}")
    ini.write_text(text + SECTIONS if layout == "the ini in use" else text)
    with nobody_logs():
        assert RUNNING in Alembic(ini)(database, "upgrade", "head")


def test_the_loggers_of_a_program_stay_as_they_are(
    project: Project, database: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ini = project.folder / "alembic.ini"
    ini.write_text(ini.read_text() + SECTIONS)
    project.revision("001_a")
    own = logging.getLogger("a.program")
    before = [*logging.root.handlers], logging.root.level, own.disabled
    monkeypatch.setenv("DATABASE_URL", database)
    command.upgrade(Config(ini), "head")
    assert RUNNING not in capfd.readouterr().err
    assert ([*logging.root.handlers], logging.root.level, own.disabled) == before
