"""A process that reads the project again, with another seed for Python's hashes, and does each work in a fork.

So each begins as a new process of Alembic's would: models and revisions imported, nothing of them run. To start one for
each would take half a second a revision; a fork takes some milliseconds. Where there is none (Windows), there is a new
process for each.
"""

import io
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Generic, Self, TypeVar

from alembic_online.postgres.errors import UserError
from alembic_online.revisions.config_origin import ConfigOrigin
from alembic_online.revisions.project import Project, open_project
from alembic_online.testing.finding import in_short

T = TypeVar("T")
_CAN_FORK = hasattr(os, "fork")
_SERVE = f"from {__name__} import serve; serve()"


@dataclass(frozen=True)
class Answer(Generic[T]):
    """The value, or why there is none."""

    value: T
    refused: str = ""


class ProcessFailed(Exception):
    """What was asked was refused there, or the process ended without an answer; says why, on a line."""


class OtherProcess:
    """Works on the same project, as a context; what is asked of it and its answers are pickled."""

    def __init__(self, project: Project, seed: int) -> None:
        self._origin, self._seed = ConfigOrigin.of(project.config), seed
        self._said: IO[bytes] = TemporaryFile()  # noqa: SIM115  it is closed with the process
        self._process = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        with self._said:
            self._process.communicate()  # it ends when nobody asks any more

    def ask(self, work: Callable[[Project], T]) -> T:
        """What `work` returns there for the project. Raises `ProcessFailed`."""
        assert self._process.stdin is not None, "it is a pipe"
        assert self._process.stdout is not None, "it is a pipe"
        try:
            pickle.dump(work, self._process.stdin)
            self._process.stdin.flush()
            answer: Answer[T] = pickle.load(self._process.stdout)
        except (EOFError, BrokenPipeError):
            reason = self._ended()
            self._process = self._start()
            raise ProcessFailed(reason) from None
        if not _CAN_FORK:
            self._ended()
            self._process = self._start()
        if answer.refused:
            raise ProcessFailed(answer.refused)
        return answer.value

    def _start(self) -> "subprocess.Popen[bytes]":
        started = subprocess.Popen(
            [sys.executable, "-c", _SERVE],
            env={**os.environ, "PYTHONHASHSEED": str(self._seed), "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
        )
        assert started.stdin is not None, "it is a pipe"
        pickle.dump(self._origin, started.stdin)
        return started

    def _ended(self) -> str:
        """The last lines that it wrote, on one."""
        self._process.communicate()
        self._said.seek(0)
        return " ".join(self._said.read().decode(errors="replace").splitlines()[-2:])[:300]


def serve() -> None:
    """Read what is asked from stdin and answer on stdout, until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a revision prints is no answer
    origin: ConfigOrigin = pickle.load(sys.stdin.buffer)
    project = open_project(origin.config(io.StringIO()))
    while (work := _next(sys.stdin.buffer)) is not None:
        child = os.fork() if _CAN_FORK else 0
        if child == 0:
            _answer(work, project, answers)
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            sys.exit(1)


def _next(questions: IO[bytes]) -> Callable[[Project], object] | None:
    try:
        work: Callable[[Project], object] = pickle.load(questions)
    except EOFError:
        return None
    return work


def _answer(work: Callable[[Project], object], project: Project, answers: IO[bytes]) -> None:
    try:
        answer = Answer(work(project))
    except UserError as error:
        answer = Answer(None, in_short(error))
    pickle.dump(answer, answers)
    answers.flush()
