"""An online operation whose process is killed with -9 around every step comes to the same end."""

from collections.abc import Callable
from dataclasses import replace

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import Case
from tests.alembic_online.recipes.conftest import Direct, write
from tests.alembic_online.recipes.interruption import run_killed
from tests.alembic_online.recipes.state import read_state, same
from tests.alembic_online.runner.processes import Migrator

Start = Callable[..., Migrator]
_DIES = "from tests.alembic_online.recipes.interruption import die_as_told; die_as_told()\n    "


def converges_though_killed(start: Start, project: Project, url: str, case: Case, directly: Direct) -> None:
    """Fail unless the way up ends where the direct way does."""
    up = directly.up(case)
    write(project, url, replace(case, upgrade=_DIES + case.upgrade))
    assert run_killed(start, project, url) > 1
    same(up, read_state(url))
