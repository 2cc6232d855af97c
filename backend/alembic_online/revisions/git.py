"""git, asked in a folder. An answer is None where there is none: no git, no repository, no such thing in it."""

import os
import subprocess
from pathlib import Path

from alembic_online.errors import RequestRefused


def run_git(folder: Path, *arguments: str) -> bytes | None:
    """What the command prints, or None where it fails.

    Raises `RequestRefused` for a repository of somebody else's: as if there were none, nothing would be looked for.
    """
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, env=_surroundings(), capture_output=True, check=False)
    except FileNotFoundError:
        return None  # git is not installed
    if b"dubious ownership" in done.stderr:
        raise RequestRefused(
            "git does not read this repository: it belongs to another user.",
            "git config --global --add safe.directory FOLDER, the top one of the repository",
        )
    return done.stdout if done.returncode == 0 else None


def ask_git(folder: Path, *arguments: str) -> str | None:
    """The same as text."""
    said = run_git(folder, *arguments)
    return None if said is None else said.decode(errors="surrogateescape")


def ask_names(folder: Path, *arguments: str) -> set[str]:
    """The paths that a command with `-z` lists: without it git writes `ü` and blanks in a spelling of its own."""
    return set(filter(None, (ask_git(folder, *arguments) or "").split("\0")))


def is_rebasing(folder: Path) -> bool:
    """Whether `git rebase` is under way: then "ours" in a conflict is the branch that one rebases onto."""
    return ask_git(folder, "rev-parse", "--verify", "--quiet", "REBASE_HEAD") is not None


def _surroundings() -> dict[str, str]:
    # A hook is told of its repository by GIT_DIR and the like, from which git would take every folder for the top.
    ours = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
    return {name: value for name, value in os.environ.items() if name not in ours} | {"LC_ALL": "C"}
