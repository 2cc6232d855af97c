"""A project whose env.py does not run its chain: its revision files, its models, and an environment of ours."""

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionMap
from alembic.util import CommandError

from alembic_online.alembic_seam import files_of_folders, script_of_file
from alembic_online.errors import RequestRefused, RevisionFailed
from alembic_online.revisions.graph import literals, load_chain

_FILE = re.compile(r"(?!\.#|__init__)[^.].*\.py")


class ForeignScripts(ScriptDirectory):
    """The script directory of a project, with `environment` in the place of its env.py."""

    def __init__(self, stock: ScriptDirectory, environment: Callable[[], None]) -> None:
        # Not by Alembic's own constructor: `from_config` has read all of it, and of another class it makes none.
        vars(self).update(vars(stock))
        self._environment = environment
        self.revision_map = RevisionMap(lambda: _all_that_import(self))

    def run_env(self) -> None:
        self._environment()


def open_scripts(config: Config, environment: Callable[[], None]) -> ForeignScripts:
    """Its revision files, linked. One that does not import is there, and fails when it is run.

    Raises `RequestRefused` where there is no script directory, `BrokenChain` where the files make no chain.
    """
    try:
        scripts = ForeignScripts(ScriptDirectory.from_config(config), environment)
    except CommandError as error:
        raise RequestRefused(
            f"There is no Alembic project here: {str(error).rstrip('.')}.", "Name the folder from which alembic is run."
        ) from error
    load_chain(scripts)
    return scripts


def _all_that_import(scripts: ScriptDirectory) -> Iterator[Script]:
    for path in files_of_folders(scripts):
        if _FILE.fullmatch(path.name):
            try:
                script = script_of_file(scripts, path)
            except Exception as error:
                script = _that_does_not_import(path, error)
                if script is None:
                    raise
            if script is not None:
                yield script


def _that_does_not_import(path: Path, error: Exception) -> Script | None:
    """In its place in the chain, by what its text says; None where that says nothing."""
    said = literals(path.read_bytes())
    revision = said.get("revision")
    if not isinstance(revision, str):
        return None
    module: Any = ModuleType(path.stem)
    vars(module).update(said)
    module.down_revision = said.get("down_revision")
    problem = DoesNotImport(path, error)
    module.upgrade = module.downgrade = problem.again
    return Script(module, revision, str(path))


class DoesNotImport(RevisionFailed):
    """A revision file whose import raised `error`."""

    def __init__(self, path: Path, error: Exception) -> None:
        line = _line(path, error)
        what = next(iter(str(error).splitlines()), "")
        super().__init__(
            f"{path.name}, line {line} failed: it cannot be imported: {type(error).__name__}: {what}",
            _remedy(error),
        )

    def again(self) -> NoReturn:
        """Whenever it is to be run."""
        raise self


def _line(path: Path, error: Exception) -> int:
    line, trace = 1, error.__traceback__
    while trace is not None:
        with contextlib.suppress(OSError):
            if Path(trace.tb_frame.f_code.co_filename).resolve() == path:
                line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _remedy(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"Run the audit where {error.name.partition('.')[0]} is installed: in the project's own environment."
    return "Correct the file."
