"""A revision that kills its own process in the middle."""

import signal
from collections.abc import Callable

from tests.alembic_online.project import Project
from tests.alembic_online.runner.processes import Migrator

BLOCK = "with op.get_context().autocommit_block():"


def killed(project: Project, url: str, start: Callable[..., Migrator], *lines: str) -> None:
    """Run a revision of these lines, which kills itself where a line says DIE."""
    code = "\n    ".join(lines)
    project.revision("001_a", upgrade=code.replace("DIE", "import os; os.environ.get('K') and os.kill(os.getpid(), 9)"))
    assert start(project, url, "upgrade", "head", K="1").exit_code() == -signal.SIGKILL
