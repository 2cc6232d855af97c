"""An env.py that fails before it calls the toolkit, as a rule because the models do not import: said in a sentence.

A verb runs env.py itself. Of an Alembic command nothing is ours by then, but that env.py has imported this package: so
the hook for what nobody catches is set there, and env.py imports it first.
"""

import sys
import traceback
from pathlib import Path
from types import TracebackType

from alembic_online.alembic_seam import environment_at_hand
from alembic_online.errors import RequestRefused
from alembic_online.postgres.errors import UserError

_PACKAGE = Path(__file__).resolve().parent


def explain_failing_models(error: Exception) -> UserError:
    """The sentence for what env.py or a module that it imports has raised, with the file and line of the user's own."""
    if isinstance(error, UserError):
        return error
    file, line = _place(error)
    what = str(error.msg if isinstance(error, SyntaxError) else error).splitlines()
    problem = f"The models cannot be imported: {file}, line {line}: {type(error).__name__}: {what[0] if what else ''}"
    return RequestRefused(problem.rstrip(), "Correct that file, then run the same command again.")


def _place(error: Exception) -> tuple[str, int]:
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno or 0
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_of_the_user(frame.filename)] or frames
    return own[-1].filename, own[-1].lineno or 0


def _is_of_the_user(filename: str) -> bool:
    path = Path(filename)
    of_python = filename.startswith("<") or "site-packages" in path.parts or path.is_relative_to(sys.base_prefix)
    return not of_python and path.name != "alembic" and not path.resolve().is_relative_to(_PACKAGE)


def watch_env_py() -> None:
    """Within an Alembic command of a command line, print the sentence for what is raised until the process ends.

    With `--raiseerr` nothing changes, nor where a program calls Alembic.
    """
    environment = environment_at_hand()
    if environment is None:
        return
    options = environment.config.cmd_opts
    if options is None or getattr(options, "raiseerr", False):
        return
    folder, before = Path(environment.script.dir).resolve(), sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, Exception) and _comes_from_env_py(error, folder):
            problem = explain_failing_models(error)
            sys.stderr.write(f"{problem}\n")
            raise SystemExit(problem.exit_code)
        before(kind, error, trace)

    sys.excepthook = hook


def _comes_from_env_py(error: Exception, folder: Path) -> bool:
    """Whether env.py had not come to the toolkit yet: what that lets through is a defect, and keeps its traceback."""
    files = [Path(frame.filename).resolve() for frame in traceback.extract_tb(error.__traceback__)]
    return folder / "env.py" in files and not any(file.is_relative_to(_PACKAGE) for file in files)
