"""Alembic's command line in processes of its own, which may be killed."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import forked_programs
from tests.alembic_online.project import Project
from tests.forked_programs import Program, until

__all__ = ["Migrator", "migrators", "until"]

Migrator = Program


@contextmanager
def migrators() -> Iterator[Callable[..., Migrator]]:
    """Yields `start(project, url, "upgrade", "head", NAME="value", ...)`; what still runs at the end is killed."""
    running: list[Migrator] = []
    with tempfile.TemporaryDirectory() as folder:

        def start(project: Project, url: str, *arguments: str, terminal: str = "", **variables: str) -> Migrator:
            started = forked_programs.start(
                "alembic.__main__",
                ["-c", str(project.folder / "alembic.ini"), *arguments],
                folder=Path.cwd(),
                environment={**os.environ, "DATABASE_URL": url, **variables},
                log=Path(folder) / f"{len(running)}.log",
                terminal=terminal,
            )
            running.append(started)
            return started

        try:
            yield start
        finally:
            for each in running:
                each.end()
