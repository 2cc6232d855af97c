"""What git knows of the revision files."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

_MAIN = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


def files_on_main(folder: Path, main: str | None) -> set[str] | None:
    """The names of the files that the main branch has in `folder`; None where there is no git or no such branch."""
    for branch in (main,) if main else _MAIN:
        listed = _git(folder, "ls-tree", "--name-only", branch, "./")
        if listed is not None:
            return {Path(line).name for line in listed.splitlines()}
    return None


def is_rebasing(folder: Path) -> bool:
    """Whether `git rebase` is under way: then "ours" in a conflict is the branch that one rebases onto."""
    return _git(folder, "rev-parse", "--verify", "--quiet", "REBASE_HEAD") is not None


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(_command(arguments), cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None  # no git on this machine
    return done.stdout if done.returncode == 0 else None


def _command(arguments: Sequence[str]) -> list[str]:
    return ["git", "-c", "core.quotePath=false", *arguments]
