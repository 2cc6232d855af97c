"""What the files alone say: one head, numbers without a gap, and models that env.py does not know of."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from alembic_online.alembic_seam import parents_of
from alembic_online.revisions.numbering import NUMBERED
from alembic_online.revisions.project import Project
from alembic_online.testing.finding import Finding
from alembic_online.testing.round_trip import chain


def single_head(project: Project) -> Iterator[Finding]:
    """Two heads: `upgrade head` refuses at deploy."""
    heads = project.scripts.get_heads()
    if len(heads) > 1:
        yield Finding("single head", "", f"the chain has {len(heads)} heads: {', '.join(sorted(heads))}")


def numbering(project: Project) -> Iterator[Finding]:
    """001, 002, ... without a gap, each above its parents; a revision whose id carries no number is let be."""
    numbers = {
        script.revision: int(found[1]) for script in chain(project) if (found := NUMBERED.match(script.revision))
    }
    for place, revision in enumerate(sorted(numbers, key=lambda each: (numbers[each], each)), 1):
        if numbers[revision] != place:
            yield Finding("numbering", revision, f"is number {place} of the chain")
    for script in chain(project):
        for parent in parents_of(script):
            if numbers.get(parent, 0) > numbers.get(script.revision, sys.maxsize):
                yield Finding("numbering", script.revision, f"comes after {parent}")


def unregistered(project: Project) -> Iterator[Finding]:
    """Models in files beside those which env.py imports, that its metadata lacks: no revision will have them."""
    known = {table.name for table in project.metadata.tables.values()}
    for path in sorted(_model_files(project)):
        for table in _tables(path):
            if table not in known:
                yield Finding("registered", "", f"{path.name} declares the table {table}, and env.py does not know it")


def _model_files(project: Project) -> set[Path]:
    """The files of the packages out of which env.py imports, as far as they are in the project's own folders."""
    env = ast.parse((project.folder / "env.py").read_text(encoding="utf-8"))
    modules = [node.module for node in ast.walk(env) if isinstance(node, ast.ImportFrom) and node.module]
    roots = [Path(path) for path in project.config.get_prepend_sys_paths_list() or [str(project.folder)]]
    found: set[Path] = set()
    for root in roots:
        for module in modules:
            path = root.joinpath(*module.split(".")).with_suffix(".py")
            if path.exists():
                found |= {each for each in path.parent.glob("*.py") if each.name != "env.py"}
    return found


def _tables(path: Path) -> Iterator[str]:
    """The values of `__tablename__ = "..."`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Assign(targets=[ast.Name("__tablename__")], value=ast.Constant(str(table))):
                yield table
