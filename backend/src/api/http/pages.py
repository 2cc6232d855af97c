"""Keyset pages: a page begins after the last row of the one before, so that it costs the same wherever it lies.

A list is sorted by unique columns, usually `(created_at, id)`. Its cursor is those values of the last row shown.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from src.api.http.problems import ProblemError

Item = TypeVar("Item")
Row = TypeVar("Row")
Key = TypeVar("Key")

MAXIMUM = 100
BY_TIME: TypeAdapter[tuple[datetime, UUID]] = TypeAdapter(tuple[datetime, UUID])
"""The usual key: a moment, and the id that makes it unique."""


class Page(BaseModel, Generic[Item]):
    """Some items, and where the next page begins."""

    items: list[Item]
    next: str | None = Field(description="The `cursor` of the next page; null on the last one")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page a client asks for. A query fetches `limit + 1` rows, from which `page` sees whether more follow."""

    limit: int
    cursor: str | None

    def after(self, key: TypeAdapter[Key]) -> Key | None:
        """The key of the last row seen, or None on the first page. Raises `ProblemError` 422 for a foreign cursor."""
        if self.cursor is None:
            return None
        try:
            return key.validate_json(base64.b64decode(self.cursor.encode(), b"-_", validate=True))
        except (ValidationError, binascii.Error, UnicodeEncodeError) as error:
            detail = "This cursor is none of this list; take the one that the page before gave as `next`."
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail) from error

    def page(
        self, rows: Sequence[Row], key: TypeAdapter[Any], key_of: Callable[[Row], Any], item_of: Callable[[Row], Item]
    ) -> Page[Item]:
        """The page of `rows`, of which there may be one more than `limit`."""
        shown = rows[: self.limit]
        more = len(rows) > self.limit
        following = base64.urlsafe_b64encode(key.dump_json(key_of(shown[-1]))).decode() if more else None
        return Page(items=[item_of(row) for row in shown], next=following)


def _page_request(
    limit: Annotated[int, Query(ge=1, le=MAXIMUM, description="How many items")] = 20,
    cursor: Annotated[str | None, Query(max_length=500, description="`next` of the page before")] = None,
) -> PageRequest:
    return PageRequest(limit, cursor)


Paging = Annotated[PageRequest, Depends(_page_request)]
