"""Tables that belong together, from the pairs and sets that do."""

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def joined(tables: Iterable[T], links: Iterable[set[T]]) -> list[set[T]]:
    """The groups of `tables`, two of which are in one group where a link has both."""
    groups = [{table} for table in tables]
    for link in links:
        linked = [group for group in groups if group & link]
        if len(linked) > 1:
            groups = [group for group in groups if not group & link] + [set().union(*linked)]
    return groups
