"""Language tags in the one spelling that the tables keep (RFC 5646, section 2.1.1): de, pt-BR, zh-Hant-TW."""

from itertools import pairwise

TAG = r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*"
"""A well-formed tag as far as a regular expression can tell; what the subtags mean is not looked at."""
LONGEST = 35
"""Characters of `translations.language_code`."""


def canonical_language(tag: str) -> str:
    """`tag` with the case that is usual: language small, Script titled, REGION large, all small after a singleton."""
    parts = tag.lower().split("-")
    return "-".join([parts[0], *(_cased(part, before) for before, part in pairwise(parts))])


def _cased(part: str, before: str) -> str:
    if len(before) == 1 or not part.isalpha():
        return part
    return part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part
