"""Which language a reader gets: the lookup of RFC 4647, section 3.4."""

import re
from collections.abc import Set
from dataclasses import dataclass

from src.db.languages import TAG

_RANGE = re.compile(rf"\s*({TAG}|\*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{{0,3}})?)\s*)?")
LONGEST_HEADER = 1000
"""Characters of `Accept-Language`."""
_MOST = 20  # ranges of one header that are looked at; people read fewer languages


@dataclass(frozen=True, slots=True)
class Wanted:
    """The languages to look for, best first and in lower case, and whether the original is one of them.

    What would come after the original is not in `languages`: the original is always there.
    """

    languages: list[str]
    original: str
    accepts_original: bool


def wanted(ranges: list[str], original: str, refused: Set[str] = frozenset()) -> Wanted:
    """What a reader wants who asks for `ranges`, best first, and will have none of `refused` (lower case).

    One who asks for nothing wants the original; "anything" is the original too.
    """
    languages: list[str] = []
    anything = refused.isdisjoint(_truncations(original.lower()))
    for language in ranges:
        for tag in _truncations(language.lower()):
            if tag in refused:
                continue
            if tag == original.lower() or (tag == "*" and anything):
                return Wanted(languages, original, True)
            if tag != "*":
                languages.append(tag)
    return Wanted(languages, original, anything and not ranges and "*" not in refused)


def read_accept_language(header: str) -> tuple[list[str], frozenset[str]]:
    """The ranges of the header in the order of their weights, and those refused (q=0); the malformed are left out."""
    found = [match for part in header.split(",")[:_MOST] if (match := _RANGE.fullmatch(part))]
    weighted = sorted(((float(match[2] or 1), match[1]) for match in found), key=lambda pair: -pair[0])
    ranges = [name for weight, name in weighted if weight > 0]
    return ranges, frozenset(name.lower() for weight, name in weighted if weight == 0)


def _truncations(tag: str) -> list[str]:
    """zh-hant-tw, zh-hant, zh: without the last part, and without a single letter that would then be the last."""
    parts, found = tag.split("-"), []
    while parts:
        found.append("-".join(parts))
        parts.pop()
        if parts and len(parts[-1]) == 1:
            parts.pop()
    return found
