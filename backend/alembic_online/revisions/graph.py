"""The revision files as one chain: loaded with care, so that whatever is wrong with them is a sentence.

Alembic loads the files late, only warns of two files with one id, and lets a syntax error through as it is.
"""

import ast
import difflib
import re
import traceback
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

from alembic.script import Script, ScriptDirectory
from alembic.script.revision import CycleDetected

from alembic_online.alembic_seam import READS_FILE, version_folders
from alembic_online.errors import BrokenChain, RequestRefused
from alembic_online.revisions.squashed import link_old_files, revision_folders
from alembic_online.text import listed

_NUMBERED = re.compile(r"\d{3}_")  # ids of other projects may be unlike the names of their files


def load_chain(scripts: ScriptDirectory) -> None:
    """Import every revision file and link them. Raises `BrokenChain` with the files and the way out."""
    link_old_files(scripts)
    try:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always", UserWarning)
            _ = scripts.revision_map.heads
    except CycleDetected as error:
        raise _cycle(scripts, list(error.revisions)) from error
    except Exception as error:
        raise _missing_parent(scripts) or _does_not_import(scripts, error) from error
    if any("is present more than once" in str(warning.message) for warning in seen):
        raise _one_id_twice(scripts)
    for script in scripts.walk_revisions():
        _check_file(script)


def _check_file(script: Script) -> None:
    file = Path(script.path).name
    if not callable(getattr(script.module, "upgrade", None)):
        raise BrokenChain(
            f"The revision file {file} has no function upgrade().",
            "Write one: def upgrade() -> None: ... (a revision that changes nothing says pass).",
        )
    if not callable(getattr(script.module, "downgrade", None)):
        # It is asked for before the first step down.
        script.module.__dict__["__getattr__"] = partial(_has_no_way_back, file)
    if file[:4] != script.revision[:4] and _NUMBERED.match(file) and _NUMBERED.match(script.revision):
        raise BrokenChain(
            f"The file {file} says that it is revision {script.revision!r}: one of the two numbers is wrong.",
            "Set its revision line to its name, or name it after its revision.",
        )


class _NoWayBack(BrokenChain, AttributeError):
    """For who takes the revision back; who only looks whether it could be finds no attribute."""


def _has_no_way_back(file: str, name: str) -> NoReturn:
    if name != "downgrade":
        raise AttributeError(name)
    raise _NoWayBack(
        f"The revision file {file} has no function downgrade(), so it cannot be taken back.",
        "Write one: def downgrade() -> None: ... (a revision that changes nothing says pass).",
    )


def known_ids(scripts: ScriptDirectory) -> set[str]:
    """The id of every revision."""
    return {script.revision for script in scripts.walk_revisions()}


def several_heads(scripts: ScriptDirectory) -> BrokenChain:
    """The error for a command that needs one head and finds more."""
    heads = sorted(scripts.get_heads())
    files = listed(Path(script.path).name for script in scripts.get_revisions(tuple(heads)))
    numbers = listed(dict.fromkeys(head.split("_")[0] for head in heads), " and ")
    return BrokenChain(
        f"The chain has {len(heads)} heads: {files}.",
        f'Join them: alembic merge -m "merge {numbers}" heads\n'
        "Or, if one of them is yours and not applied anywhere yet: python -m alembic_online rebase",
    )


def unknown_revision(name: str, scripts: ScriptDirectory) -> RequestRefused:
    """The error for a name that is no revision's: it says the nearest ones."""
    known = sorted(known_ids(scripts))
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known[:3]
    remedy = f"The nearest: {', '.join(near) or 'none at all'}. All: alembic history"
    return RequestRefused(f"No revision is called {name!r}.", remedy)


@dataclass(frozen=True)
class RevisionFile:
    """What a revision file says of itself, read from its text and not by running it."""

    path: Path
    revision: str
    parents: tuple[str, ...]
    """Those of down_revision and of depends_on."""


def read_files(scripts: ScriptDirectory) -> list[RevisionFile]:
    """Every revision file that can be parsed, in order of their names."""
    paths = sorted(path for folder in version_folders(scripts) for path in folder.glob("[!._]*.py"))
    return [found for path in paths if (found := _read_file(path))]


def revision_in(text: str | bytes) -> str | None:
    """The id that a file with this text has; None where it has none, or cannot be parsed."""
    found = literals(text).get("revision")
    return found if isinstance(found, str) else None


def _read_file(path: Path) -> RevisionFile | None:
    names = literals(path.read_bytes())
    revision = names.get("revision")
    if not isinstance(revision, str):
        return None
    return RevisionFile(path, revision, (*_listed(names.get("down_revision")), *_listed(names.get("depends_on"))))


def literals(text: str | bytes) -> dict[str, object]:
    """What is set at the top of a file to a literal, by name; nothing where it cannot be parsed."""
    try:
        return dict(filter(None, map(_assignment, ast.parse(text).body)))
    except SyntaxError:
        return {}  # load_chain says so, with the line


def _listed(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, tuple | list) else ()


def _assignment(node: ast.stmt) -> tuple[str, object] | None:
    """Name and value of `name = literal`, annotated or not."""
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    value = getattr(node, "value", None)
    if not isinstance(target, ast.Name) or not isinstance(value, ast.expr):
        return None
    try:
        return target.id, ast.literal_eval(value)
    except ValueError:
        return None  # a value of any other kind, which is the revision's own affair


def _cycle(scripts: ScriptDirectory, revisions: list[str]) -> BrokenChain:
    files = [file.path.name for file in read_files(scripts) if file.revision in revisions]
    return BrokenChain(
        f"The revisions {listed(revisions)} refer to each other in a circle ({listed(files)}).",
        "Set the down_revision of the oldest of them to the revision before it, or to None if it is the first.",
    )


def _missing_parent(scripts: ScriptDirectory) -> BrokenChain | None:
    files = read_files(scripts)
    known = {file.revision for file in files}
    for file in files:
        for parent in file.parents:
            if parent not in known:
                return BrokenChain(
                    f"{file.path.name} names the revision {parent!r} as its parent, and no file has it.",
                    "Bring the missing file back (git log --all), or correct its down_revision or depends_on.",
                )
    return None


def _one_id_twice(scripts: ScriptDirectory) -> BrokenChain:
    files = read_files(scripts)
    ids = [file.revision for file in files]
    revision = next(name for name in ids if ids.count(name) > 1)
    names = " and ".join(file.path.name for file in files if file.revision == revision)
    return BrokenChain(
        f"{ids.count(revision)} files have the revision id {revision!r}: {names}.",
        "Give the newer one the next free number, in its file name and in its revision line.",
    )


def _does_not_import(scripts: ScriptDirectory, error: Exception) -> BrokenChain:
    folders = revision_folders(scripts)
    frames = traceback.extract_tb(error.__traceback__)
    places = [(frame.filename, frame.lineno) for frame in frames if Path(frame.filename).resolve().parent in folders]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno))
    if not places:
        file = _being_read(error)
        return BrokenChain(f"The revision file {file} cannot be read: {error}.", "Correct it: --raiseerr shows more.")
    path, line = places[-1]
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    return BrokenChain(
        f"The revision file {Path(path).name} cannot be imported: line {line}: {type(error).__name__}: {error}",
        f"{_install(missing) if missing else 'Correct the file'}; --raiseerr shows the whole traceback.",
    )


def _install(module: str) -> str:
    """What to do where `module` is missing."""
    package = {"psycopg2": "psycopg2-binary"}.get(module.partition(".")[0])
    return f"Install it, in this environment (pip install {package})" if package else "Install it, or correct the file"


def _being_read(error: Exception) -> str:
    """The file that Alembic was reading: it tells nobody, but its function has it in hand."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_name == READS_FILE]
    return Path(str(frames[-1].f_locals.get("path"))).name if frames else "(unknown)"
