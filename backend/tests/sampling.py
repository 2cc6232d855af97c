"""Of many cases some always, all of them with `make prove`."""

from collections.abc import Iterable
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet


def every(nth: int, cases: Iterable[Any]) -> list[ParameterSet]:
    """For `parametrize`: one case of `nth` always, from the first on."""
    return [
        pytest.param(case, id=str(case), marks=[pytest.mark.prove] if place % nth else [])
        for place, case in enumerate(cases)
    ]
