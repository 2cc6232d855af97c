"""Programs in processes of their own, which may be told things and killed.

They are forked from one that has done all imports: a fortieth of a second each instead of one or two.
"""

import multiprocessing
import os
import runpy
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

from tests.paths import BACKEND

_LIMIT = 120.0  # seconds, which only a failing test takes: on a busy machine 15 were too few
_PAUSE = 0.01
_forks = multiprocessing.get_context("forkserver")
Value = TypeVar("Value")


@dataclass
class Program:
    """One run of it."""

    process: BaseProcess
    log: Path

    @property
    def output(self) -> str:
        """What it has printed up to now, stdout and stderr if that has no file of its own."""
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

    def end(self) -> None:
        """Kill it, if it still runs."""
        self.process.kill()
        self.process.join()
        self.process.close()


def until(condition: Callable[[], Value], said: Callable[[], str] = str) -> Value:
    """The first true answer of `condition`; `said` goes into the failure."""
    deadline = time.monotonic() + _LIMIT
    while not (value := condition()):
        assert time.monotonic() < deadline, f"the condition did not come within {_LIMIT:.0f} s: {said()}"
        time.sleep(_PAUSE)
    return value


def start(
    module: str,
    arguments: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    errors: Path | None = None,
    terminal: str = "",
) -> Program:
    """`python -m module *arguments` in `folder`, with this environment alone; it prints into `log` or a terminal.

    What it prints on stderr goes into `errors`, if that is given.
    """
    _warm_up()
    outputs = (terminal or log, terminal or errors or log)
    process = _forks.Process(target=_run, args=(module, arguments, folder, dict(environment), sys.path, outputs))
    process.start()
    return Program(process, log)


def _warm_up() -> None:
    _forks.set_forkserver_preload([__name__, "tests.all_imports"])
    # Python 3.11's fork server does not look for the modules where its starter does.
    with patch.dict(os.environ, PYTHONPATH=str(BACKEND)):
        forkserver.ensure_running()


def _run(
    module: str,
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    path: Sequence[str],
    outputs: tuple[str | Path, str | Path],
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    os.setsid()
    for number, output in ((1, outputs[0]), (2, outputs[1])):
        os.dup2(os.open(output, os.O_RDWR | os.O_CREAT | os.O_APPEND), number)
    if str(outputs[0]).startswith("/dev/"):
        os.dup2(1, 0)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  it lives as long as the process
    with suppress(ValueError):
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.path[:] = [str(folder), *path]
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)
