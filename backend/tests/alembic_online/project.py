"""A small Alembic project with models and revisions of its own: the toolkit must work for anybody's."""

from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from tests.alembic_command import Alembic
from tests.paths import BACKEND

NOWHERE = "postgresql://nobody@localhost:1/none"  # a broken chain is found before any server is asked
_INI = """\
[alembic]
script_location = %(here)s
path_separator = os
revision_environment = true
"""
_ENV = """\
import os

from sqlalchemy import Column, Integer, MetaData, String, Table

from alembic_online import run_environment
from alembic_online.postgres.variable import Variable

metadata = MetaData()
{models}
run_environment(metadata, url=Variable(os.environ["DATABASE_URL"], "DATABASE_URL"))
"""
_REVISION = '''\
"""{revision}."""

import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {parent!r}
{phase}

def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''


@dataclass(frozen=True)
class Project:
    """An environment in a folder of its own."""

    folder: Path

    @property
    def alembic(self) -> Alembic:
        """Its command line."""
        return Alembic(self.folder / "alembic.ini")

    def models(self, code: str) -> None:
        """Declare models: lines of Python that use `metadata`."""
        _write(self.folder / "env.py", _ENV.format(models=code))

    def revision(
        self,
        revision: str,
        parent: str | tuple[str, ...] | None = None,
        upgrade: str = "pass",
        downgrade: str = "pass",
        name: str = "",
        phase: str = "",
    ) -> Path:
        """Write a revision file."""
        says = f"phase = {phase!r}\n" if phase else ""
        path = self.folder / "versions" / f"{name or revision}.py"
        _write(
            path, _REVISION.format(revision=revision, parent=parent, phase=says, upgrade=upgrade, downgrade=downgrade)
        )
        return path


def _write(path: Path, text: str) -> None:
    """Python keeps the code of a file that has changed within the second and not in its size: so it must forget it."""
    path.write_text(text)
    Path(cache_from_source(str(path))).unlink(missing_ok=True)


def make_project(folder: Path) -> Project:
    """A project without models or revisions."""
    (folder / "versions").mkdir()
    (folder / "alembic.ini").write_text(_INI)
    template = BACKEND / "migrations" / "script.py.mako"
    (folder / "script.py.mako").write_text(template.read_text())
    made = Project(folder)
    made.models("")
    return made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh project."""
    return make_project(tmp_path)
