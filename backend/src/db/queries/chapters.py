"""Chapters: as students read them, in a language of theirs, and as administrators write them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, and_, bindparam, case, delete, func, insert, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from src.db.queries.visibility import CHAPTER_VISIBLE, EVERYTHING, publication
from src.db.tables import AnyRow, chapter_progress, chapters, modules, translations

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
        translations.c.updated_at,
    )
    .where(_READABLE, _RANK.is_not(None))
    .order_by(_RANK)
    .limit(1)
    .lateral("translation")
)
_TRANSLATED_INTO = (
    select(func.array_agg(translations.c.language_code, type_=ARRAY(Text()))).where(_READABLE).scalar_subquery()
)

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


_GET = (
    select(
        *(column for column in _COLUMNS if column.name not in ("title", "description", "content_html")),
        *map(_translated, ("title", "description", "content_html")),
        modules.c.slug.label("module"),
        _BEST.c.language_code.label("translated_into"),
        _BEST.c.updated_at.label("translation_updated_at"),
        func.coalesce(_TRANSLATED_INTO, []).label("translations"),
    )
    .select_from(chapters.join(modules).join(_BEST, true(), isouter=True))
    .where(modules.c.slug == bindparam("module"), chapters.c.slug == bindparam("chapter"), CHAPTER_VISIBLE)
)
_MINE = and_(chapter_progress.c.chapter_id == chapters.c.id, chapter_progress.c.user_id == bindparam("user"))
_OUTLINE = (
    select(*_IN_OUTLINE)
    .where(chapters.c.module_id == bindparam("module"), or_(chapters.c.is_published, EVERYTHING))
    .order_by(chapters.c.position, chapters.c.id)
)
_OUTLINE_WITH_PROGRESS = _OUTLINE.join_from(chapters, chapter_progress, _MINE, isouter=True).add_columns(
    chapter_progress.c.status,
    chapter_progress.c.progress_percentage,
    chapter_progress.c.time_spent_seconds,
    chapter_progress.c.quiz_score,
    chapter_progress.c.quiz_passed,
    chapter_progress.c.exercise_passed,
    chapter_progress.c.started_at,
    chapter_progress.c.completed_at,
)
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


async def get_chapter(
    session: AsyncSession, module: str, chapter: str, *, languages: Sequence[str], everything: bool
) -> AnyRow | None:
    """One chapter, if the reader sees it, in the first of `languages` (lower case) that it is translated into.

    `translated_into` is None where it is the original.
    """
    found = {"module": module, "chapter": chapter, "languages": list(languages), "everything": everything}
    return (await session.execute(_GET, found)).one_or_none()


async def list_chapters(
    session: AsyncSession, module: UUID, *, user: UUID | None, everything: bool
) -> Sequence[AnyRow]:
    """A module's chapters in order, without their text; for a user with his progress in each."""
    if user is None:
        return (await session.execute(_OUTLINE, {"module": module, "everything": everything})).all()
    mine = {"module": module, "user": user, "everything": everything}
    return (await session.execute(_OUTLINE_WITH_PROGRESS, mine)).all()


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
