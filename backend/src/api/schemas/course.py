"""What the resources of the course have in common."""

import re
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from src.api.schemas.base import Body

_LONGEST_SLUG = 100
SLUG = "^[a-z0-9]+(?:-[a-z0-9]+)*$"

Slug = Annotated[
    str, Field(pattern=SLUG, max_length=_LONGEST_SLUG, description="Its name in URLs", examples=["without-an-outage"])
]
_SLUG = re.compile(SLUG.strip("^$"))


def is_slug(text: str) -> bool:
    """Whether `text` is what `Slug` takes."""
    return len(text) <= _LONGEST_SLUG and _SLUG.fullmatch(text) is not None


Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), Field(examples=["Without an outage"])
]
Description = Annotated[str, Field(max_length=10_000, examples=["How to change a table that people are reading."])]
Html = Annotated[
    str,
    Field(max_length=500_000, description="Scripts, styles and forms are taken out", examples=["<p>Wait briefly.</p>"]),
]
"""As it was sent: `api/dependencies/clean_html.py` cleans it."""


class Stored(BaseModel):
    """What every row of the course tells about itself."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    is_published: bool = Field(description="Whether students see it")
    published_at: datetime | None = Field(description="Since when")
    updated_at: datetime


class Order(Body):
    """A new order."""

    order: list[Slug] = Field(
        max_length=1000, description="The slugs of all of them, each once", examples=[["first-steps", "data"]]
    )
