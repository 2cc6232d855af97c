"""What `make test` leaves to `make prove`: the longer proofs.

The rule: tests that run always keep every promise; a longer proof keeps it once more, for more cases. So

- of a test that needs a server, or starts programs, one of `ONE_OF` cases runs always, the first among them;
- a table of cases may say itself which: `every(8, CASES)`, or `marks=pytest.mark.prove` at a case. Then nothing else of
  it is left out. A folder or a module may, in `HERE_ONE_OF`: 1 where each case is a promise of its own;
- on another version of PostgreSQL there runs what depends on it, in `ON_ANOTHER_VERSION_ONE_OF`, and not all of that;
- a test may be a longer proof as a whole, `@pytest.mark.prove`, where another one of its module or of its folder keeps
  the same promise in less time: a change though its session ends around every step, where other changes try that; a
  project of another shape; a command that walks a whole chain. Then its module has others that run always.

`pytest -m ""` runs all of them, `pytest -m prove` these alone. test_longer_proofs.py holds the rule.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet

from tests.paths import BACKEND

# Prime: where a test has several parameters, one of N cases is then not always the same value of one of them.
ONE_OF = 11
HERE_ONE_OF: Mapping[str, int] = {
    "alembic_online/postgres/test_sqlstate.py": 1,  # each driver has its own names
    "migrations/": 1,  # our own chain is walked in every way, with rows and without
}
ON_ANOTHER_VERSION_ONE_OF = {
    "alembic_online/autogenerate/": 37,
    "alembic_online/postgres/catalogue/": 37,
    "alembic_online/recipes/test_cases.py": 37,
    "db/": 11,
}


@dataclass(frozen=True)
class Collected:
    """A case that pytest has found, on the first version."""

    module: str
    test: str
    longer: bool
    longer_as_a_whole: bool
    """Whether the test is marked, with all its cases."""


COLLECTED = pytest.StashKey[list[Collected]]()


def every(nth: int, cases: Iterable[Any]) -> list[ParameterSet]:
    """For `parametrize`: one case of `nth` always, from the first on."""
    return [
        pytest.param(case, id=str(case), marks=[pytest.mark.prove] if place % nth else [])
        for place, case in enumerate(cases)
    ]


def runs_on_another_version(path: Path) -> bool:
    """Whether anything of the module does so always; the rest is not even collected for it, which took a while."""
    return _number(ON_ANOTHER_VERSION_ONE_OF, _relative(path), 0) > 0


def mark_longer_proofs(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Mark with `prove` what the rule leaves to it, and keep in `COLLECTED` what there is."""
    first_version = config.option.postgres.split(",")[0]
    here = [item for item in items if _version_of(item, first_version) == first_version]
    _mark_on_another_version([item for item in items if _version_of(item, first_version) != first_version])
    as_a_whole = {_test(item) for item in here if _marked_as_a_whole(item)}
    chosen_by_hand = {_test(item) for item in here if item.get_closest_marker("prove")}
    places = Counter[str]()
    for item in here:
        test = _test(item)
        if test not in chosen_by_hand and not item.get_closest_marker("pure"):
            if places[test] % _one_of(HERE_ONE_OF, item, ONE_OF):
                item.add_marker("prove")
            places[test] += 1
    config.stash[COLLECTED] = [
        Collected(_path(item), _test(item), item.get_closest_marker("prove") is not None, _test(item) in as_a_whole)
        for item in here
    ]


def _mark_on_another_version(items: Iterable[pytest.Item]) -> None:
    places = Counter[int]()
    for item in items:
        one_of = _one_of(ON_ANOTHER_VERSION_ONE_OF, item, 0)
        if not one_of or places[one_of] % one_of:
            item.add_marker("prove")
        places[one_of] += 1


def _one_of(table: Mapping[str, int], item: pytest.Item, otherwise: int) -> int:
    return _number(table, _path(item), otherwise)


def _number(table: Mapping[str, int], path: str, otherwise: int) -> int:
    return next((number for beginning, number in table.items() if path.startswith(beginning)), otherwise)


def _marked_as_a_whole(item: pytest.Item) -> bool:
    """Whether the mark stands at the test or its module, and not at the case."""
    callspec = getattr(item, "callspec", None)
    return item.get_closest_marker("prove") is not None and "prove" not in {
        mark.name for mark in (callspec.marks if callspec else ())
    }


def _version_of(item: pytest.Item, otherwise: str) -> str:
    callspec = getattr(item, "callspec", None)
    version = str(callspec.params.get("server", otherwise)) if callspec else otherwise
    return otherwise if version == "url" else version


def _test(item: pytest.Item) -> str:
    """Its name without the case."""
    return f"{_path(item)}::{getattr(item, 'originalname', item.name)}"


def _path(item: pytest.Item) -> str:
    return _relative(item.path)


@cache
def _relative(path: Path) -> str:
    """Kept: thousands of items have few paths, and to take one apart was a tenth of all that collecting them takes."""
    return path.relative_to(BACKEND / "tests").as_posix()
