"""`WantedLanguages`: from `?lang=` or `Accept-Language`."""

from typing import Annotated

from fastapi import Depends, Header, Query

from src.api.dependencies.sessions import OpenResources
from src.api.http.languages import LONGEST_HEADER, Wanted, read_accept_language, wanted
from src.db.languages import LONGEST, TAG, canonical_language


async def wanted_languages(
    resources: OpenResources,
    lang: Annotated[
        str | None,
        Query(pattern=f"^{TAG}$", max_length=LONGEST, description="A BCP 47 tag; goes before Accept-Language"),
    ] = None,
    accept_language: Annotated[str, Header(max_length=LONGEST_HEADER)] = "",
) -> Wanted:
    """The languages that the request asks for."""
    ranges, refused = ([lang], frozenset[str]()) if lang else read_accept_language(accept_language)
    return wanted(ranges, canonical_language(resources.settings.course_language), refused)


WantedLanguages = Annotated[Wanted, Depends(wanted_languages)]
