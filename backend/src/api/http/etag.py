"""Versions of a resource (RFC 9110, section 8.8.3 and 13): strong ETags made of `updated_at` or of the content.

Where two people edit, a change names the version that it was made from, and is refused when another one stands:

    row = await capstone.lock(session, id)      # SELECT ... FOR UPDATE: nobody changes it before the commit
    if_match.check(row.updated_at)              # 412 when it is not the one the client has seen
"""

import hashlib
import re
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from src.api.http.problems import ProblemError


def etag(updated_at: datetime, body: bytes | None = None) -> str:
    """The version that stands since `updated_at`, to the microsecond, which is what PostgreSQL keeps.

    An answer that shows more than the row (a language, its neighbours) adds its `body`: a copy is then current only
    while all of it is, and a change may still be based on the row.
    """
    version = f"{round(updated_at.timestamp() * 1_000_000):x}"
    return f'"{version}"' if body is None else f'"{version}.{_digest(body)}"'


def content_etag(body: bytes) -> str:
    """The version of an answer that is made of several rows."""
    return f'"{_digest(body)}"'


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=12).hexdigest()


def is_current(request: Request, tag: str) -> bool:
    """Whether the client's copy (`If-None-Match`) is still the one of `tag`."""
    header = request.headers.get("if-none-match")
    return header is not None and (header.strip() == "*" or tag in _weakly(header))


def not_modified(tag: str) -> Response:
    """The answer for a client whose copy is current."""
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})


class IfMatch:
    """The versions that a change may be based on."""

    def __init__(self, header: str) -> None:
        self._any = header.strip() == "*"
        # Without what `etag` may have added; a weak tag never matches (RFC 9110, section 13.1.1).
        self._versions = {re.sub(r"\..*\"$", '"', tag) for tag in _tags(header)}

    def check(self, updated_at: datetime) -> None:
        """Raises `ProblemError` 412 if the row, locked by the caller, has changed since the client read it."""
        if not self._any and etag(updated_at) not in self._versions:
            detail = "It was changed by somebody else meanwhile; read it again, and repeat the change on that."
            raise ProblemError(HTTPStatus.PRECONDITION_FAILED, detail)


def _required(
    if_match: Annotated[str | None, Header(max_length=1000, description="The ETag that the change is based on")] = None,
) -> IfMatch:
    if if_match is None:
        detail = "Send the ETag of what you have read as If-Match, so that no change of somebody else is lost."
        raise ProblemError(HTTPStatus.PRECONDITION_REQUIRED, detail)
    return IfMatch(if_match)


class OptionalMatch:
    """For a PUT that may also create: what is there already is replaced only by who has read it."""

    def __init__(self, if_match: IfMatch | None) -> None:
        self._if_match = if_match

    def check(self, updated_at: datetime | None) -> None:
        """Raises `ProblemError` 428 without If-Match where there is something, 412 where it is not what was read."""
        if updated_at is None and self._if_match is not None:
            raise ProblemError(
                HTTPStatus.PRECONDITION_FAILED, "It was deleted meanwhile; leave If-Match out to add it."
            )
        if updated_at is not None:
            (self._if_match or _required()).check(updated_at)


def _optional(
    if_match: Annotated[str | None, Header(max_length=1000, description="The ETag that the change is based on")] = None,
) -> OptionalMatch:
    return OptionalMatch(None if if_match is None else IfMatch(if_match))


OptionalIfMatch = Annotated[OptionalMatch, Depends(_optional)]
RequiredIfMatch = Annotated[IfMatch, Depends(_required)]


def _tags(header: str) -> set[str]:
    return {tag.strip() for tag in header.split(",")}


def _weakly(header: str) -> set[str]:
    """RFC 9110, section 13.1.2: If-None-Match compares weakly, and a proxy that compresses makes tags weak."""
    return {tag.removeprefix("W/") for tag in _tags(header)}
