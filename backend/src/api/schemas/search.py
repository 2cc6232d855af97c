"""Search: what to look for and where, and what was found."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from src.api.http.pages import MAXIMUM, Page
from src.api.schemas.base import Body
from src.api.schemas.vectors import VectorInput

Slug = Annotated[str, Field(min_length=1, max_length=100)]

_EXAMPLES: list[JsonValue] = [{"text": "who waits for a lock?", "module": "locks", "limit": 10}]


class SearchRequest(Body):
    """Words, or a vector, or both; in the whole course, a module, or one of its chapters."""

    model_config = ConfigDict(json_schema_extra={"examples": _EXAMPLES})

    text: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        description='As people write it: `"a phrase"`, `this or that`, `-without`',
    )
    vector: VectorInput | None = Field(default=None, description="By meaning; made by `model`")
    model: str | None = Field(default=None, max_length=100, description="By default the model of this service")
    module: Slug | None = Field(default=None, description="The slug of the module to look in")
    chapter: Slug | None = Field(default=None, description="The slug of the chapter of `module` to look in")
    limit: int = Field(default=10, ge=1, le=MAXIMUM)
    cursor: str | None = Field(default=None, max_length=500, description="`next` of the page before")

    @model_validator(mode="after")
    def _something_to_look_for(self) -> Self:
        if self.text is None and self.vector is None:
            raise ValueError("give `text`, `vector`, or both")
        if self.chapter is not None and self.module is None:
            raise ValueError("a chapter's slug is unique within its module only: give `module` too")
        return self


class Place(BaseModel):
    """A module or a chapter, to show and to link to."""

    slug: str
    title: str


class SearchHit(BaseModel):
    """A passage of a chapter."""

    module: Place
    chapter: Place
    chunk_index: int | None = Field(description="Which chunk of the chapter; null where its words alone were found")
    score: float = Field(description="By reciprocal rank; to compare within one search only")
    snippet: str = Field(description="HTML, escaped but for `<mark>` around the words that were found")


class SearchPage(Page[SearchHit]):
    """The hits, the best first."""

    by: list[Literal["text", "vector"]] = Field(description="What was looked for")
    notice: str | None = Field(description="Why it was not looked for by meaning, if it should have been")
