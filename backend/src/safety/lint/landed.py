"""What has landed: the revisions of the main branch, as git has them, and what is applied to the database."""

import ast
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from src.safety.lint.rule import Mapped

_MAIN = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_MODELS = """
import json
from src.safety.project import open_project
tables = open_project().metadata.tables.values()
print(json.dumps([[table.schema or "", table.name, [column.name for column in table.columns]] for table in tables]))
"""


@dataclass(frozen=True)
class MainBranch:
    """The main branch of the repository around a folder."""

    root: Path
    name: str

    def new(self, paths: Iterable[Path]) -> set[Path]:
        """Those that it does not have."""
        listed = _git(self.root, "ls-tree", "-r", "--name-only", "--full-tree", self.name) or ""
        there = set(listed.splitlines())
        return {path for path in paths if self._relative(path) not in there}

    def edited(self, paths: Iterable[Path]) -> set[Path]:
        """Those that do something else there; comments do not count."""
        names = _git(self.root, "diff", "--name-only", self.name, "--") or ""
        different = set(names.splitlines())
        return {path for path in paths if self._relative(path) in different and self._differs(path)}

    def mapped(self, folder: Path) -> Mapped | None:
        """What its models map: env.py is run as it is there, in a process of its own. None where that fails."""
        archive = subprocess.run(["git", "archive", self.name], cwd=self.root, capture_output=True, check=False)
        if archive.returncode:
            return None
        with TemporaryDirectory(prefix="syllabus-") as directory:
            with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
                files.extractall(directory, filter="data")
            place = Path(directory) / folder.resolve().relative_to(self.root)
            command = [sys.executable, "-c", _MODELS]
            done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        return _mapped(json.loads(done.stdout.splitlines()[-1])) if done.returncode == 0 else None

    def _relative(self, path: Path) -> str:
        return path.resolve().relative_to(self.root).as_posix()

    def _differs(self, path: Path) -> bool:
        there = _git(self.root, "show", f"{self.name}:{self._relative(path)}")
        return there is not None and ast.dump(ast.parse(there)) != ast.dump(ast.parse(path.read_bytes()))


def main_branch(folder: Path) -> MainBranch | None:
    """The main branch of the repository that `folder` is in; None where there is no git, or no such branch."""
    root = _git(folder, "rev-parse", "--show-toplevel")
    if root is None:
        return None
    for name in _MAIN:
        if _git(folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"):
            return MainBranch(Path(root.strip()).resolve(), name)
    return None


def _mapped(tables: list[tuple[str, str, list[str]]]) -> Mapped:
    names = {(schema, table, "") for schema, table, _ in tables}
    return frozenset(names | {(schema, table, column) for schema, table, columns in tables for column in columns})


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None  # git is not installed
    return done.stdout if done.returncode == 0 else None
