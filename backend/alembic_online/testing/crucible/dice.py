"""Decisions out of a seed: the same seed decides the same, also when something else has been taken out meanwhile.

A choice takes the item whose name, mixed with the seed, gives the least number. So an example that is shrunk goes on
choosing what it chose, as long as that is there.
"""

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")
_RANGE = 2**64


class Dice:
    """Thrown in an order; each throw is of the seed and of its place."""

    def __init__(self, seed: str) -> None:
        self._seed, self._throws = seed, 0

    def chance(self, share: float) -> bool:
        """True in this share of all throws."""
        return self._number() < share * _RANGE

    def number(self, least: int, most: int) -> int:
        """From `least` to `most`, both included."""
        return least + self._number() % (most - least + 1)

    def one(self, items: Iterable[T], name: Callable[[T], object] = str) -> T:
        """One of them; `name` tells them apart. Raises `ValueError` where there is none."""
        self._throws += 1
        return min(items, key=lambda item: self._mixed(str(name(item))))

    def some(self, items: Iterable[T], count: int, name: Callable[[T], object] = str) -> list[T]:
        """So many of them, or all, in a random order."""
        self._throws += 1
        return sorted(items, key=lambda item: self._mixed(str(name(item))))[:count]

    def _number(self) -> int:
        self._throws += 1
        return self._mixed("")

    def _mixed(self, name: str) -> int:
        digest = blake2b(f"{self._seed}/{self._throws}/{name}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big")
