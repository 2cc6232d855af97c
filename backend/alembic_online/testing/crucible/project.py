"""The Alembic project of an example, in a folder of its own, and its commands in this process."""

import io
import json
import os
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import write_hooks

from alembic_online.revisions.project import Project, open_project
from alembic_online.testing.crucible.environment import MODELS, PLACE
from alembic_online.testing.crucible.schema import Schema, to_json

BELOW, BASE, HEAD = "000_below", "001_base", "002_change"
STEP = "step"
"""The column that 001 adds where there is a revision below it."""
_INI = """\
[alembic]
script_location = %(here)s
path_separator = os
revision_environment = true

[post_write_hooks]
hooks = as_it_is
as_it_is.type = as_it_is
"""
_ENV = """\
from alembic_online.testing.crucible.environment import run

run()
"""
_REVISION = '''\
"""{message}."""
import sqlalchemy as sa
from alembic import op
{imports}
revision = {revision!r}
down_revision = {parent!r}


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''
_MAKO = (
    '"""${message}"""\nimport sqlalchemy as sa\nfrom alembic import op\n${imports if imports else ""}\n'
    "revision = ${repr(up_revision)}\ndown_revision = ${repr(down_revision)}\n\n\n"
    'def upgrade() -> None:\n    ${upgrades if upgrades else "pass"}\n\n\n'
    'def downgrade() -> None:\n    ${downgrades if downgrades else "pass"}\n'
)


@write_hooks.register("as_it_is")
def _as_it_is(*_: object) -> None:
    """A formatter is a process of its own, and nobody reads these files but in need."""


@dataclass
class Place:
    """Where the next command runs; `small` is the size below which a table is changed directly."""

    folder: Path
    policy: dict[str, Any] = field(default_factory=dict)

    def write(self, statements: list[str], stepped: str = "") -> None:
        """The project with its first revision, which makes the schema by these statements.

        `stepped` is a table to which a second one adds a column.
        """
        (self.folder / "versions").mkdir()
        (self.folder / "alembic.ini").write_text(_INI)
        (self.folder / "env.py").write_text(_ENV)
        (self.folder / "script.py.mako").write_text(_MAKO)
        lines = "\n    ".join(f"op.get_bind().exec_driver_sql({each!r})" for each in statements) or "pass"
        self.revision(BELOW if stepped else BASE, None, lines, "pass")
        if stepped:
            up = f"op.add_column({stepped!r}, sa.Column({STEP!r}, sa.Integer()))"
            self.revision(BASE, BELOW, up, f"op.drop_column({stepped!r}, {STEP!r})")

    def revision(self, revision: str, parent: str | None, upgrade: str, downgrade: str, imports: str = "") -> None:
        """A file; the bodies are lines with an indent of four but for the first."""
        text = _REVISION.format(
            message=revision, revision=revision, parent=parent, upgrade=upgrade, downgrade=downgrade, imports=imports
        )
        self.path(revision).write_text(text)

    def path(self, revision: str) -> Path:
        """Of its file."""
        return self.folder / "versions" / f"{revision}.py"

    def declare(self, schema: Schema) -> None:
        """These are the models from now on."""
        (self.folder / MODELS).write_text(json.dumps(to_json(schema), indent=1))

    def autogenerate(self, url: str) -> bool:
        """Write the second revision; False where nothing differs. Raises `UserError`."""
        with redirect_stdout(io.StringIO()):
            self._run(url, lambda config: command.revision(config, "change", autogenerate=True, rev_id=HEAD))
        return self.path(HEAD).exists()

    def upgrade(self, url: str, target: str = "head", **policy: Any) -> None:
        """Raises `UserError`, `DBAPIError`."""
        self._run(url, lambda config: command.upgrade(config, target), **policy)

    def downgrade(self, url: str, target: str = BASE, **policy: Any) -> None:
        """Raises `UserError`, `DBAPIError`."""
        self._run(url, lambda config: command.downgrade(config, target), **policy)

    def plainly(self, url: str, way: Callable[[Config, str], None], target: str) -> None:
        """The command as plain Alembic carries it out. Raises whatever it raises."""
        self._place(url, plain=True)
        way(self._config(), target)

    def open(self, url: str, **policy: Any) -> Project:
        """The project as the verbs see it."""
        self._place(url, plain=False, **policy)
        return open_project(self._config())

    def _run(self, url: str, work: Callable[[Config], object], **policy: Any) -> None:
        self._place(url, plain=False, **policy)
        work(self._config())

    def _config(self) -> Config:
        return Config(self.folder / "alembic.ini", stdout=io.StringIO())

    def _place(self, url: str, *, plain: bool, **policy: Any) -> None:
        place = {"url": url, "plain": plain, "policy": {**self.policy, **policy}}
        written = self.folder / f"{PLACE}.{os.getpid()}"
        written.write_text(json.dumps(place, indent=1))
        written.replace(self.folder / PLACE)  # another process may be reading it
