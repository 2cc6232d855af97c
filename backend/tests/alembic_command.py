"""Alembic's own command line, run in the test's process: that saves an interpreter and all imports a call."""

import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from alembic.config import CommandLine, Config


@cache
def _command_line() -> CommandLine:
    """Made once: its parser takes as long as a seventh of a small upgrade."""
    return CommandLine(prog="alembic")


class Refusal(NamedTuple):
    """What the terminal shows of a command that failed."""

    exit_code: int
    stderr: str


@dataclass(frozen=True)
class Alembic:
    """The command line of the project whose alembic.ini this is."""

    ini: Path
    variables: Mapping[str, str] = field(default_factory=lambda: {"MIGRATION_ALLOW_DATA_LOSS": "true"})
    """Of the environment; most tests go down with rows and mean it."""

    def having(self, **variables: str) -> "Alembic":
        """The same with other variables in its environment."""
        return replace(self, variables=variables)

    def __call__(self, url: str, *arguments: str) -> str:
        """Run `alembic *arguments` with `DATABASE_URL=url`; returns what it printed, raises what it raised."""
        output = io.StringIO()
        with self._environment(url), redirect_stdout(output), redirect_stderr(output):
            self._run(output, ["--raiseerr", *arguments])
        return output.getvalue()

    def refused(self, url: str, *arguments: str) -> Refusal:
        """Run a command that must fail as a person sees it: the exit code and stderr."""
        output, errors = io.StringIO(), io.StringIO()
        with self._environment(url), redirect_stdout(output), redirect_stderr(errors):
            try:
                self._run(output, arguments)
            except SystemExit as exit_:
                return Refusal(int(exit_.code or 0), errors.getvalue())
        raise AssertionError(f"alembic {' '.join(arguments)} did not fail: {output.getvalue()}{errors.getvalue()}")

    def _run(self, output: io.StringIO, arguments: Sequence[str]) -> None:
        # What CommandLine.main does, but for stdout: Config took the real one for its default when it was imported.
        command_line = _command_line()
        options = command_line.parser.parse_args(arguments)
        command_line.run_cmd(Config(self.ini, stdout=output, cmd_opts=options), options)

    @contextmanager
    def _environment(self, url: str) -> Iterator[None]:
        variables = {"DATABASE_URL": url, **self.variables}
        with patch.dict(os.environ, variables), patch.object(sys, "path", list(sys.path)):
            yield
