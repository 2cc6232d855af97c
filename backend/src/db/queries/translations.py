"""A chapter in other languages, as administrators keep them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from src.db.queries.visibility import publication
from src.db.tables import AnyRow, translations

_IN_LIST = (
    translations.c.id,
    translations.c.language_code,
    translations.c.title,
    translations.c.description,
    translations.c.is_published,
    translations.c.published_at,
    translations.c.updated_at,
)
_COLUMNS = (*_IN_LIST, translations.c.content_html)
_OF_CHAPTER = translations.c.chapter_id == bindparam("chapter")
_LIST = select(*_IN_LIST).where(_OF_CHAPTER).order_by(translations.c.language_code)
_GET = select(*_COLUMNS).where(_OF_CHAPTER, translations.c.language_code == bindparam("language"))
_LOCK = _GET.with_for_update()


async def list_translations(session: AsyncSession, chapter: UUID) -> Sequence[AnyRow]:
    """The languages of a chapter, published or not, without their texts."""
    return (await session.execute(_LIST, {"chapter": chapter})).all()


async def get_translation(session: AsyncSession, chapter: UUID, language: str) -> AnyRow | None:
    """A chapter in one language, published or not."""
    return (await session.execute(_GET, {"chapter": chapter, "language": language})).one_or_none()


async def lock_translation(session: AsyncSession, chapter: UUID, language: str) -> AnyRow | None:
    """The same, held until the end of the transaction by whoever is about to change it."""
    return (await session.execute(_LOCK, {"chapter": chapter, "language": language})).one_or_none()


async def add_translation(session: AsyncSession, chapter: UUID, language: str, values: Mapping[str, Any]) -> AnyRow:
    """A new language of a chapter. Raises `IntegrityError` if somebody else was quicker."""
    published_at = func.now() if values["is_published"] else None
    row = insert(translations).values(**values, chapter_id=chapter, language_code=language, published_at=published_at)
    return (await session.execute(row.returning(*_COLUMNS))).one()


async def change_translation(session: AsyncSession, translation: UUID, values: Mapping[str, Any]) -> AnyRow:
    """Set the translation's columns."""
    change = update(translations).where(translations.c.id == translation)
    change = change.values(**values, published_at=publication(translations, values["is_published"]))
    return (await session.execute(change.returning(*_COLUMNS))).one()


async def delete_translation(session: AsyncSession, translation: UUID) -> None:
    """The chapter is no longer there in this language."""
    await session.execute(delete(translations).where(translations.c.id == translation))
