"""A sentence names a few and counts the rest."""

import pytest

from alembic_online.text import listed


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], ""),
        (["a", "b"], "a and b"),
        (["a", "b", "c", "d"], "a and b and c and d"),
        ([*"abcdefg"], "a and b and c and 4 more"),
    ],
)
def test_many_names_are_a_few_and_a_number(names: list[str], words: str) -> None:
    assert listed(names, " and ") == words
