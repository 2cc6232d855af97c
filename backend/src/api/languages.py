"""Which language a reader gets: the lookup of RFC 4647, section 3.4, from `?lang=` or `Accept-Language`."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Query

from src.api.dependencies import OpenResources
from src.db.languages import LONGEST, TAG, canonical_language

_RANGE = re.compile(rf"\s*({TAG}|\*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{{0,3}})?)\s*)?")
_MOST = 20  # ranges of one header that are looked at; people read fewer languages


@dataclass(frozen=True, slots=True)
class Wanted:
    """The languages to look for, best first and in lower case, and whether the original is one of them.

    What would come after the original is not in `languages`: the original is always there.
    """

    languages: list[str]
    original: str
    accepts_original: bool


def wanted(ranges: list[str], original: str) -> Wanted:
    """What a reader wants who asks for `ranges`, best first; one who asks for nothing wants the original."""
    languages: list[str] = []
    for language in ranges:
        for tag in _truncations(language.lower()):
            if tag in ("*", original.lower()):
                return Wanted(languages, original, True)
            languages.append(tag)
    return Wanted(languages, original, not ranges)


def read_accept_language(header: str) -> list[str]:
    """The ranges of the header in the order of their weights; what is malformed or refused (q=0) is left out."""
    found = [match for part in header.split(",")[:_MOST] if (match := _RANGE.fullmatch(part))]
    weighted = [(float(match[2] or 1), match[1]) for match in found]
    return [name for weight, name in sorted(weighted, key=lambda pair: -pair[0]) if weight > 0]


def _truncations(tag: str) -> list[str]:
    """zh-hant-tw, zh-hant, zh: without the last part, and without a single letter that would then be the last."""
    parts, found = tag.split("-"), []
    while parts:
        found.append("-".join(parts))
        parts.pop()
        if parts and len(parts[-1]) == 1:
            parts.pop()
    return found


async def _wanted(
    resources: OpenResources,
    lang: Annotated[
        str | None,
        Query(pattern=f"^{TAG}$", max_length=LONGEST, description="A BCP 47 tag; goes before Accept-Language"),
    ] = None,
    accept_language: Annotated[str, Header(max_length=1000)] = "",
) -> Wanted:
    ranges = [lang] if lang else read_accept_language(accept_language)
    return wanted(ranges, canonical_language(resources.settings.course_language))


WantedLanguages = Annotated[Wanted, Depends(_wanted)]
