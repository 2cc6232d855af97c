"""Conversations, messages, and questions."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from src.api.schemas.base import Body
from src.api.schemas.search import Slug
from src.db.enums import DifficultyLevel
from src.db.storable import Storable

Text = Annotated[str, Field(min_length=1, max_length=20_000)]


class Source(Body):
    """A passage that an answer rests on."""

    module: Slug = Field(examples=["tables"])
    chapter: Slug = Field(examples=["locks"])
    chunk_index: int | None = Field(default=None, ge=0, le=2**31 - 1, examples=[3])


class Context(Body):
    """Where somebody asks from, and what he can be expected to know."""

    module: Slug | None = Field(default=None, description="The slug of the module that is open", examples=["tables"])
    chapter: Slug | None = Field(default=None, description="The slug of its chapter that is open", examples=["locks"])
    difficulty_level: DifficultyLevel | None = None

    @model_validator(mode="after")
    def _chapter_within_module(self) -> Self:
        if self.chapter is not None and self.module is None:
            raise ValueError("a chapter's slug is unique within its module only: give `module` too")
        return self


class NewMessage(Context):
    """A question that was answered elsewhere, to keep."""

    query: Text = Field(examples=["Who waits for a lock?"])
    response: Text = Field(examples=["Whoever wants one that conflicts with it."])
    sources: list[Source] = Field(default=[], max_length=20)


class Question(Context):
    """A question, to be answered from the course: from what is published in the module or chapter, if one is given."""

    query: Annotated[str, Storable] = Field(min_length=1, max_length=4_000, examples=["Who waits for a lock?"])


class Rating(Body):
    """What an answer was worth; null takes it back."""

    rating: int | None = Field(ge=1, le=5, examples=[5])


class Message(BaseModel):
    """A question and its answer."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    query: str
    response: str
    sources: list[Source]
    was_follow_up: bool
    context_module_slug: str | None
    user_difficulty_level: DifficultyLevel | None
    user_rating: int | None
    created_at: datetime


class Conversation(BaseModel):
    """A conversation, by its first question and its latest message."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str = Field(description="The beginning of its first question")
    last_message_at: datetime


class AnswerEvent(BaseModel):
    """One server-sent event of an answer: first `sources`, then many `delta`, at the end `done` or `error`."""

    event: Literal["sources", "delta", "done", "error"]
    data: dict[str, Any] | list[dict[str, Any]]
