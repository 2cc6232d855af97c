"""What has landed: the revisions of the main branch, as git has them."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from alembic_online.errors import RequestRefused
from alembic_online.revisions.git import ask_git, ask_names
from alembic_online.revisions.graph import revision_in

_NAMES = ("main", "master", "trunk")
_BRANCHES = ("origin/HEAD", *(f"origin/{name}" for name in _NAMES), *_NAMES)


@dataclass(frozen=True)
class MainBranch:
    """The main branch of the repository whose top folder is `root`."""

    root: Path
    name: str

    def new(self, paths: Iterable[Path]) -> set[Path]:
        """Those that it does not have; what lies outside of the repository is nobody's here."""
        there = ask_names(self.root, "ls-tree", "-r", "-z", "--name-only", "--full-tree", self.name)
        return {path for path, name in self._named(paths) if name not in there}

    def edited(self, paths: Iterable[Path]) -> set[Path]:
        """Those that do something else there, and not because it was changed there; comments do not count."""
        different = ask_names(self.root, "diff", "--name-only", "--no-renames", "-z", self.name, "--")
        named = [(path, name) for path, name in self._named(paths) if name in different]
        return {
            path
            for path, name in named
            if self._differs(path, f"{self.name}:{name}") and not self._is_as_it_was(path, name)
        }

    def text(self, path: Path) -> str | None:
        """What the file holds there; None where it is not there."""
        named = next((name for _, name in self._named([path])), None)
        return ask_git(self.root, "show", f"{self.name}:{named}") if named else None

    def gone(self, folders: Iterable[Path], known: set[str]) -> Iterator[tuple[str, str]]:
        """Revisions in these folders that it has, and that this branch had when it began, but are not `known`.

        Yields id and file. Nothing in a shallow clone that does not reach so far back: what came to the main branch
        since is not gone.
        """
        if self._fork is None:
            return
        changed = ask_names(self.root, "diff", "--name-only", "--no-renames", "-z", self._fork, "--")
        above = tuple("" if name == "." else f"{name}/" for _, name in self._named(folders))
        for name in sorted(changed):
            is_file = name.startswith(above) and name.endswith(".py")
            there = ask_git(self.root, "show", f"{self.name}:{name}") if is_file else None
            revision = revision_in(there) if there else None
            if revision is not None and revision not in known:
                yield revision, name

    @cached_property
    def _fork(self) -> str | None:
        """The commit that both branches come from."""
        found = ask_git(self.root, "merge-base", "HEAD", self.name)
        return found.strip() if found else None

    def _is_as_it_was(self, path: Path, name: str) -> bool:
        return self._fork is not None and not self._differs(path, f"{self._fork}:{name}", missing=True)

    def _differs(self, path: Path, there: str, *, missing: bool = False) -> bool:
        """Whether the file does something else than the one that git calls `there`; `missing` if that is not there."""
        text = ask_git(self.root, "show", there)
        return missing if text is None else _meaning(text) != _meaning(path.read_bytes())

    def _named(self, paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
        """Each path with its name in the repository."""
        for path in paths:
            whole = path.resolve()
            if whole.is_relative_to(self.root):
                yield path, whole.relative_to(self.root).as_posix()


def main_branch(folder: Path, named: str | None = None) -> MainBranch | None:
    """The main branch of the repository that `folder` is in; None where there is no git, or no such branch.

    Raises `RequestRefused` for a `named` one that git does not know.
    """
    root = ask_git(folder, "rev-parse", "--show-toplevel")
    for name in (named, f"origin/{named}") if named else _BRANCHES if root else ():
        if root and ask_git(folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"):
            return MainBranch(Path(root.rstrip("\n")).resolve(), name)
    if named:
        raise RequestRefused(f"git knows no branch {named!r} here.", "See: git branch --all; perhaps git fetch first.")
    return None


def _meaning(text: str | bytes) -> str:
    """What Python reads; where it can read nothing, the text itself."""
    try:
        return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError):
        return repr(text)
