"""Chapters: as students read them, in a language of theirs, and as administrators write them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Text,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from src.db.json_parts import json_list, json_object, json_text
from src.db.queries.visibility import CHAPTER_VISIBLE, EVERYTHING, USER, publication
from src.db.tables import AnyRow, chapter_progress, chapters, modules, translations
from src.db.viewer_query import Asker, ViewerQuery

_LANGUAGES: Any = bindparam("languages", type_=ARRAY(Text()))
_RANK = func.array_position(_LANGUAGES, func.lower(translations.c.language_code))

# A translation without a text is none as long as the original has one: nobody wants an empty page in his language.
_READABLE = and_(
    translations.c.chapter_id == chapters.c.id,
    translations.c.is_published,
    or_(translations.c.content_html.is_not(None), chapters.c.content_html.is_(None)),
)
_BEST = (
    select(
        translations.c.language_code,
        translations.c.title,
        translations.c.description,
        translations.c.content_html,
    )
    .where(_READABLE, _RANK.is_not(None))
    .order_by(_RANK)
    .limit(1)
    .lateral("translation")
)
_CODE = translations.c.language_code
_TRANSLATED_INTO = (
    select(func.array_agg(aggregate_order_by(_CODE, _CODE.collate("C")), type_=ARRAY(Text())))
    .where(_READABLE)
    .scalar_subquery()
)
_ORIGINAL = bindparam("original", type_=Text())
_LANGUAGE = func.coalesce(_BEST.c.language_code, _ORIGINAL)

_IN_OUTLINE = (
    chapters.c.id,
    chapters.c.slug,
    chapters.c.title,
    chapters.c.description,
    chapters.c.position,
    chapters.c.difficulty_level,
    chapters.c.estimated_duration_minutes,
    chapters.c.is_published,
    chapters.c.published_at,
    chapters.c.updated_at,
)
_COLUMNS = (*_IN_OUTLINE, chapters.c.learning_objectives, chapters.c.content_html)


def _translated(column: str) -> Any:
    return case((_BEST.c.language_code.is_(None), chapters.c[column]), else_=_BEST.c[column]).label(column)


_READ = json_object(
    *(column for column in _COLUMNS if column.name not in ("title", "description", "content_html")),
    *map(_translated, ("title", "description", "content_html")),
    module=modules.c.slug,
    language=_LANGUAGE,
    is_fallback=and_(_BEST.c.language_code.is_(None), not_(bindparam("accepts_original", type_=Boolean()))),
    languages=func.array_prepend(_ORIGINAL, _TRANSLATED_INTO),
)
_GET = ViewerQuery(
    select(json_text(_READ), chapters.c.updated_at, _LANGUAGE)
    .select_from(chapters.join(modules).join(_BEST, true(), isouter=True))
    .where(modules.c.slug == bindparam("module"), chapters.c.slug == bindparam("chapter"), CHAPTER_VISIBLE)
)
_MINE = and_(chapter_progress.c.chapter_id == chapters.c.id, chapter_progress.c.user_id == USER)
_PROGRESS = json_object(
    chapter_progress.c.status,
    chapter_progress.c.progress_percentage,
    chapter_progress.c.time_spent_seconds,
    chapter_progress.c.quiz_score,
    chapter_progress.c.quiz_passed,
    chapter_progress.c.exercise_passed,
    chapter_progress.c.started_at,
    chapter_progress.c.completed_at,
)
_LISTED = json_object(*_IN_OUTLINE, progress=case((chapter_progress.c.id.is_not(None), _PROGRESS)))
OUTLINE = (
    select(json_list(_LISTED, chapters.c.position, chapters.c.id))
    .select_from(chapters.join(chapter_progress, _MINE, isouter=True))
    .where(chapters.c.module_id == modules.c.id, or_(chapters.c.is_published, EVERYTHING))
    .correlate(modules)
    .scalar_subquery()
)
"""The chapters of a module in order as JSON, without their text; with the progress of `user`, or without if NULL."""

_NAMED = and_(modules.c.slug == bindparam("module"), chapters.c.slug == bindparam("chapter"))
_FIND = select(chapters.c.id).select_from(chapters.join(modules)).where(_NAMED)
_LOCK = select(*_COLUMNS).select_from(chapters.join(modules)).where(_NAMED).with_for_update(of=chapters)
_LOCK_ORDER = (
    select(chapters.c.slug).where(chapters.c.module_id == bindparam("module")).order_by(chapters.c.id).with_for_update()
)
_SLUGS = func.unnest(bindparam("slugs", type_=ARRAY(Text())))
_ORDER = _SLUGS.table_valued("slug", with_ordinality="position", name="wanted").render_derived()
_REORDER = (
    update(chapters)
    .where(chapters.c.module_id == bindparam("module"), chapters.c.slug == _ORDER.c.slug)
    .where(chapters.c.position != _ORDER.c.position)
    .values(position=_ORDER.c.position)
)


class Read(NamedTuple):
    """A chapter as JSON, the version of the chapter itself, and the language it is in."""

    body: str
    updated_at: datetime
    language: str


async def get_chapter(
    asker: Asker, module: str, chapter: str, *, languages: Sequence[str], original: str, accepts_original: bool
) -> Read | None:
    """One chapter, if the asker sees it, in the first of `languages` (lower case) that it is translated into.

    In none of them it is in `original`, which is a fallback unless the asker accepts that.
    """
    wanted = {"languages": list(languages), "original": original, "accepts_original": accepts_original}
    row = await asker.row(_GET, module=module, chapter=chapter, **wanted)
    return Read(*row) if row else None


async def find_chapter(session: AsyncSession, module: str, chapter: str) -> AnyRow | None:
    """The id of a chapter, published or not."""
    return (await session.execute(_FIND, {"module": module, "chapter": chapter})).one_or_none()


async def lock_chapter(session: AsyncSession, module: str, chapter: str) -> AnyRow | None:
    """The chapter itself, held until the end of the transaction by whoever is about to change it."""
    return (await session.execute(_LOCK, {"module": module, "chapter": chapter})).one_or_none()


async def add_chapter(session: AsyncSession, module: UUID, values: Mapping[str, Any]) -> AnyRow:
    """A new chapter at the end of its module. Raises `IntegrityError` if the module has one of this slug."""
    last = select(func.coalesce(func.max(chapters.c.position), 0)).where(chapters.c.module_id == module)
    published_at = func.now() if values["is_published"] else None
    row = insert(chapters).values(
        **values, module_id=module, position=last.scalar_subquery() + 1, published_at=published_at
    )
    return (await session.execute(row.returning(*_COLUMNS))).one()


async def change_chapter(session: AsyncSession, chapter: UUID, values: Mapping[str, Any]) -> AnyRow:
    """Set the chapter's columns. Raises `IntegrityError` if its module has another one of the new slug."""
    change = update(chapters).where(chapters.c.id == chapter)
    change = change.values(**values, published_at=publication(chapters, values["is_published"]))
    return (await session.execute(change.returning(*_COLUMNS))).one()


async def delete_chapter(session: AsyncSession, chapter: UUID) -> None:
    """The chapter, and by the foreign keys everything that belongs to it."""
    await session.execute(delete(chapters).where(chapters.c.id == chapter))


async def lock_order(session: AsyncSession, module: UUID) -> set[str]:
    """The slugs of a module's chapters, held until the end of the transaction by whoever is about to reorder them."""
    return set((await session.execute(_LOCK_ORDER, {"module": module})).scalars())


async def reorder_chapters(session: AsyncSession, module: UUID, slugs: Sequence[str]) -> None:
    """Number the chapters as they are listed; one that stays where it is, is not written."""
    await session.execute(_REORDER, {"module": module, "slugs": list(slugs)})
