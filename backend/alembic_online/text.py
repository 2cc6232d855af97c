"""How many of something, in words."""

from collections.abc import Iterable

_SHOWN = 4  # of names in a sentence


def listed(names: Iterable[str], joint: str = ", ") -> str:
    """The names with `joint` between them; of many the first ones, and how many more: `a, b, c and 47 more`."""
    several = list(names)
    if len(several) <= _SHOWN:
        return joint.join(several)
    return f"{joint.join(several[: _SHOWN - 1])} and {len(several) - _SHOWN + 1:,} more"


def counted(number: int, noun: str) -> str:
    """`1 revision`, `2 revisions`, `1,000 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
