"""Translations."""

from pydantic import BaseModel, Field

from src.api.schemas.base import Body
from src.api.schemas.course import Description, Html, Stored, Title


class TranslationContent(Body):
    """A chapter in another language, as an administrator writes it."""

    title: Title
    description: Description = ""
    content_html: Html | None = None
    is_published: bool = False


class ListedTranslation(Stored):
    """A chapter in another language, without its text."""

    language_code: str = Field(examples=["de"])
    title: str
    description: str


class Translation(ListedTranslation):
    """A chapter in another language."""

    content_html: str | None


class Translations(BaseModel):
    """All languages of a chapter but the original."""

    translations: list[ListedTranslation]
