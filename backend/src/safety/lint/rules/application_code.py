"""application-code: a revision must run years from now, when the code is another."""

import sysconfig
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from src.safety.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    for module, line in dict.fromkeys(revision.source.imports.values()):
        if module.startswith(".") or _is_own(module.partition(".")[0]):
            yield Found(f"It imports {module}.", line)


def _is_own(package: str) -> bool:
    """Whether it is neither Python's nor installed."""
    spec = find_spec(package)
    if spec is None or spec.origin in ("built-in", "frozen"):
        return False
    places = [Path(place) for place in (*(spec.submodule_search_locations or ()), spec.origin) if place]
    installed = [Path(place) for place in sysconfig.get_paths().values()]
    return not any(place.is_relative_to(folder) for place in places for folder in installed)


RULE = Rule(
    "application-code",
    "The revision does something else, or fails, as soon as the application changes.",
    "Models and functions are those of today; a revision belongs to the day on which it was written.",
    'books = sa.table("books", sa.column("id"), sa.column("title"))  # what the revision needs, said in it',
    _check,
)
