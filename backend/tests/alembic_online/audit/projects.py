"""Alembic projects that know nothing of the toolkit, written from scratch: their env.py is Alembic's own template."""

import io
import json
import os
import re
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

from alembic.config import Config

from alembic_online.cli.main import main

_TEMPLATES = Path(Config().get_template_directory())
_INI = """\
[alembic]
script_location = %(here)s/migrations
prepend_sys_path = .
sqlalchemy.url = driver://user:pass@localhost/dbname

[loggers]
keys = root

[handlers]
keys = file

[formatters]
keys =

[logger_root]
level = INFO
handlers = file

[handler_file]
class = FileHandler
args = ("migrations.log", "w")
"""
_HEAD = """\
import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {parent!r}


"""
_MARK = re.compile(r"#(?P<marks>( ![\w-]+)+)$")


@dataclass(frozen=True)
class Foreign:
    """A project in a folder of its own."""

    folder: Path

    def revision(self, revision: str, parent: str | tuple[str, ...] | None, body: str) -> None:
        """Write a revision file; `body` are its functions."""
        path = self.folder / "migrations" / "versions" / f"{revision}.py"
        path.write_text(f"{_HEAD.format(revision=revision, parent=parent)}{body.strip()}\n")

    def models(self, code: str, module: str) -> None:
        """Lines that use `metadata`, in `module`.py, which env.py imports."""
        head = "from sqlalchemy import *\n\nmetadata = MetaData()\n"
        (self.folder / f"{module}.py").write_text(f"{head}{code}\n")
        env = self.folder / "migrations" / "env.py"
        imported = f"from {module} import metadata\ntarget_metadata = metadata"
        env.write_text(env.read_text().replace("target_metadata = None", imported))

    @property
    def marked(self) -> set[tuple[str, int, str]]:
        """File, line and rule of each `# !rule` in it: what is to be found there."""
        return {
            (path.relative_to(self.folder).as_posix(), number, rule)
            for path in self.folder.rglob("*.py")
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if (match := _MARK.search(line))
            for rule in match["marks"].replace("!", "").split()
        }

    @property
    def bytes(self) -> Mapping[str, str]:
        """Every file and folder in it, with what it holds."""
        paths = sorted(self.folder.rglob("*"))
        return {
            path.relative_to(self.folder).as_posix(): sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            for path in paths
        }

    def audit(self, server: str, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of the verb on this folder."""
        out, err = io.StringIO(), io.StringIO()
        with patch.dict(os.environ, MIGRATION_SCRATCH_URL=server), redirect_stdout(out), redirect_stderr(err):
            code = main(["audit", str(self.folder), *arguments])
        return code, out.getvalue(), err.getvalue()

    def data(self, server: str) -> dict[str, Any]:
        """What it says as JSON."""
        _, said, err = self.audit(server, "--format", "json")
        assert said, err
        found: dict[str, Any] = json.loads(said)
        return found


def make_foreign(folder: Path, template: str = "generic") -> Foreign:
    """A project without revisions; `template` is one of Alembic's: generic, async."""
    (folder / "migrations" / "versions").mkdir(parents=True)
    (folder / "alembic.ini").write_text(_INI)
    (folder / "migrations" / "env.py").write_text((_TEMPLATES / template / "env.py").read_text())
    return Foreign(folder)


def found(data: Mapping[str, Any]) -> set[tuple[str, int, str]]:
    """File, line and rule of each finding."""
    return {(each["file"], each["line"], each["rule"]) for each in data["findings"]}


def up_and_down(up: str, down: str) -> str:
    """The two functions, a line each."""
    return f"def upgrade() -> None:\n    {up}\n\n\ndef downgrade() -> None:\n    {down}\n"
