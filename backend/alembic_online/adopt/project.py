"""A project seen through what its env.py is going to be, which need not be written yet."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Table

from alembic_online.alembic_seam import version_table
from alembic_online.audit.foreign import open_scripts
from alembic_online.review.plan.rehearsal import Live, read_live
from alembic_online.revisions.project import Project, project_of
from alembic_online.runtime.own_thread import outside_of_loops


def open_as(config: Config, path: Path, source: str) -> Project:
    """The project of `config` with `source` in the place of its env.py, which lies at `path`.

    Raises `RequestRefused`, `BrokenChain`, and what its env.py raises in words.
    """

    def run() -> None:
        module = ModuleType("env_py")
        module.__file__ = str(path)
        exec(compile(source, path, "exec"), module.__dict__)

    return project_of(config, open_scripts(config, run))


def look(project: Project) -> tuple[Live, Table]:
    """The database as env.py connects to it, and the table in which its revisions are stamped; nothing is changed."""
    found: list[tuple[Live, Table]] = []

    # The toolkit reads the name of the command from that of its function, as it does of Alembic's own.
    def current(project: Project) -> None:
        def read(heads: Sequence[str], context: MigrationContext) -> Iterable[Any]:
            assert context.connection is not None, "it is no script"
            found.append((read_live(context.connection, tuple(heads)), version_table(context)))
            return ()

        read.__qualname__ = "current.<locals>.read"
        with EnvironmentContext(project.config, project.scripts, fn=read, dont_mutate=True):
            outside_of_loops(project.scripts.run_env)

    current(project)
    return found[0]
