"""application-code: a revision must run years from now, when the code is another."""

import site
import sysconfig
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from alembic_online.review.lint.rule import Found, Revision, Rule

_INSTALLED = [
    Path(place).resolve()
    for place in (*sysconfig.get_paths().values(), *site.getsitepackages(), site.getusersitepackages())
]


def _check(revision: Revision) -> Iterator[Found]:
    tables = sorted(revision.trial.tables_used) if revision.trial else []
    remedy = f'sa.table("{tables[0]}", sa.column(...), ...)  # what the revision needs, said in it' if tables else ""
    for module, line in dict.fromkeys(revision.source.imports.values()):
        if module.startswith(".") or _is_own(module.partition(".")[0], revision.source.path):
            yield Found(f"It imports {module}.", line, remedy)


def _is_own(package: str, revision: Path) -> bool:
    """Whether it has the revision in it, or is neither Python's nor installed."""
    places = _places(package)
    if any(revision.resolve().is_relative_to(place) for place in places):
        return True
    return bool(places) and not any(place.is_relative_to(folder) for place in places for folder in _INSTALLED)


@cache
def _places(package: str) -> list[Path]:
    """Its folders, or its file; none for what is a part of Python."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):  # half imported, or not a module at all
        return []
    if spec is None or spec.origin in ("built-in", "frozen"):
        return []
    found = [*spec.submodule_search_locations] if spec.submodule_search_locations else [spec.origin]
    return [Path(place).resolve() for place in found if place]


RULE = Rule(
    "application-code",
    "The revision does something else, or fails, as soon as the application changes.",
    "Models and functions are those of today; a revision belongs to the day on which it was written.",
    'books = sa.table("books", sa.column("id"), sa.column("title"))  # what the revision needs, said in it',
    _check,
)
