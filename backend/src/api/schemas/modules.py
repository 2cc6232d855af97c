"""Modules."""

from pydantic import BaseModel, Field

from src.api.schemas.base import Body
from src.api.schemas.chapters import ListedChapter
from src.api.schemas.course import Description, Slug, Stored, Title


class ModuleContent(Body):
    """A module as an administrator writes it."""

    slug: Slug
    title: Title
    description: Description = ""
    is_published: bool = False


class Module(Stored):
    """A module."""

    slug: str
    title: str
    description: str
    position: int


class ListedModule(Module):
    """A module in the course's outline."""

    chapter_count: int = Field(description="The chapters that the reader sees")


class Course(BaseModel):
    """The modules, in their order."""

    modules: list[ListedModule]


class ModuleWithChapters(Module):
    """A module and its chapters, in their order."""

    chapters: list[ListedChapter]
