"""Chapters."""

from typing import Annotated

from pydantic import Field

from src.api.schemas.base import Body
from src.api.schemas.course import Description, Html, Slug, Stored, Title
from src.api.schemas.progress import Progress
from src.db.enums import DifficultyLevel

Minutes = Annotated[int, Field(gt=0, le=100_000, examples=[30])]
Objective = Annotated[str, Field(min_length=1, max_length=500, examples=["Name the locks that a statement takes"])]


class ChapterContent(Body):
    """A chapter as an administrator writes it, in the course's language."""

    slug: Slug
    title: Title
    description: Description = ""
    difficulty_level: DifficultyLevel = DifficultyLevel.INTERMEDIATE
    estimated_duration_minutes: Minutes = 60
    content_html: Html | None = None
    learning_objectives: list[Objective] = Field(default=[], max_length=50)
    is_published: bool = False


class _Chapter(Stored):
    slug: str
    title: str
    description: str
    position: int
    difficulty_level: DifficultyLevel
    estimated_duration_minutes: int


class ListedChapter(_Chapter):
    """A chapter in its module, without its text."""

    progress: Progress | None = Field(description="The reader's own; null for who has not signed in, or not begun")


class Chapter(_Chapter):
    """A chapter with its text, as it is written."""

    content_html: str | None
    learning_objectives: list[str]


class ReadChapter(Chapter):
    """A chapter in a language of the reader's, or the original if it is in none."""

    module: str = Field(description="The slug of its module")
    language: str = Field(description="The language of title, description and text", examples=["de"])
    is_fallback: bool = Field(description="It is the original because it is in none of the languages asked for")
    languages: list[str] = Field(description="All that it can be read in, the original first", examples=[["en", "de"]])
