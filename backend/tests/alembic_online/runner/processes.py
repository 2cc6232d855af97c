"""Alembic's command line in processes of its own, which may be killed.

They are forked from one process that has done all imports: a fortieth of a second each instead of one second.
"""

import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

from alembic.config import CommandLine

import alembic_online
from tests.alembic_online.project import Project
from tests.paths import BACKEND

assert alembic_online, "imported, so that no migrator has to"

_LIMIT = 60.0  # seconds, which only a failing test takes: on a busy machine 15 were too few
_PAUSE = 0.01
_forks = multiprocessing.get_context("forkserver")
Value = TypeVar("Value")


@dataclass
class Migrator:
    """One run of `alembic`."""

    process: BaseProcess
    log: Path

    @property
    def output(self) -> str:
        """What it has printed up to now, stdout and stderr."""
        return self.log.read_text() if self.log.exists() else ""

    def exit_code(self) -> int:
        """Of the process when it has ended; -9 if it was killed."""
        self.process.join(_LIMIT)
        assert self.process.exitcode is not None, f"it has not ended: {self.output}"
        return self.process.exitcode

    def tell(self, number: signal.Signals) -> int:
        """Send it a signal; returns its exit code."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)
        return self.exit_code()

    def says(self, words: str) -> None:
        """Wait until it has printed `words`."""
        until(lambda: words in self.output or not self.process.is_alive(), lambda: self.output)
        assert words in self.output


def until(condition: Callable[[], Value], said: Callable[[], str] = str) -> Value:
    """The first true answer of `condition`; `said` goes into the failure."""
    deadline = time.monotonic() + _LIMIT
    while not (value := condition()):
        assert time.monotonic() < deadline, f"the condition did not come within {_LIMIT:.0f} s: {said()}"
        time.sleep(_PAUSE)
    return value


@contextmanager
def migrators() -> Iterator[Callable[..., Migrator]]:
    """Yields `start(project, url, "upgrade", "head", NAME="value", ...)`; what still runs at the end is killed."""
    _warm_up()
    running: list[Migrator] = []
    with tempfile.TemporaryDirectory() as folder:

        def start(project: Project, url: str, *arguments: str, terminal: str = "", **variables: str) -> Migrator:
            log = Path(folder) / f"{len(running)}.log"
            environment = {"DATABASE_URL": url, **variables}
            given = (project.folder / "alembic.ini", arguments, environment, terminal or str(log))
            process = _forks.Process(target=_alembic, args=given)
            process.start()
            running.append(Migrator(process, log))
            return running[-1]

        try:
            yield start
        finally:
            for each in running:
                each.process.kill()
                each.process.join()
                each.process.close()


def _warm_up() -> None:
    _forks.set_forkserver_preload([__name__])
    # Python 3.11's fork server does not look for the modules where its starter does.
    with patch.dict(os.environ, PYTHONPATH=str(BACKEND)):
        forkserver.ensure_running()


def _alembic(ini: Path, arguments: Sequence[str], environment: Mapping[str, str], output: str) -> None:
    """What the console script `alembic` does, with its output in a file or on a terminal."""
    os.environ.update(environment)
    os.setsid()
    target = os.open(output, os.O_RDWR | os.O_CREAT)
    for number in (0, 1, 2) if output.startswith("/dev/") else (1, 2):
        os.dup2(target, number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  it lives as long as the process
    with suppress(ValueError):
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    CommandLine(prog="alembic").main(["-c", str(ini), *arguments])
