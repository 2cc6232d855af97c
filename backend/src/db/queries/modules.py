"""Modules: the course's outline, and what administrators do to it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from src.db.json_parts import json_list, json_object, json_text
from src.db.queries.chapters import OUTLINE
from src.db.queries.visibility import EVERYTHING, MODULE_VISIBLE, publication
from src.db.tables import AnyRow, chapters, modules
from src.db.viewer_query import Asker, ViewerQuery

# From the index on (module_id, position, id) alone, which includes is_published.
_CHAPTER_COUNT = (
    select(func.count())
    .where(chapters.c.module_id == modules.c.id, or_(chapters.c.is_published, EVERYTHING))
    .scalar_subquery()
    .label("chapter_count")
)
_COLUMNS = (
    modules.c.id,
    modules.c.slug,
    modules.c.title,
    modules.c.description,
    modules.c.position,
    modules.c.is_published,
    modules.c.published_at,
    modules.c.updated_at,
)
_ORDER_OF_COURSE = (modules.c.position, modules.c.id)
_LIST = ViewerQuery(
    select(json_text(json_object(modules=json_list(json_object(*_COLUMNS, _CHAPTER_COUNT), *_ORDER_OF_COURSE)))).where(
        MODULE_VISIBLE
    )
)
_WITH_CHAPTERS = ViewerQuery(
    select(json_text(json_object(*_COLUMNS, chapters=OUTLINE)), modules.c.updated_at).where(
        modules.c.slug == bindparam("slug"), MODULE_VISIBLE
    )
)
_LOCK = select(*_COLUMNS).where(modules.c.slug == bindparam("slug")).with_for_update()
_LOCK_ORDER = select(modules.c.slug).order_by(modules.c.id).with_for_update()
_NEXT_POSITION = select(func.coalesce(func.max(modules.c.position), 0) + 1).scalar_subquery()
_SLUGS = func.unnest(bindparam("slugs", type_=ARRAY(Text())))
_ORDER = _SLUGS.table_valued("slug", with_ordinality="position", name="wanted").render_derived()
_REORDER = (
    update(modules)
    .where(modules.c.slug == _ORDER.c.slug, modules.c.position != _ORDER.c.position)
    .values(position=_ORDER.c.position)
)


async def list_modules(asker: Asker) -> str:
    """The modules that the asker sees, in their order, as JSON; each with the number of its chapters that he sees."""
    body: str = await asker.value(_LIST)
    return body


async def get_module(asker: Asker, slug: str) -> tuple[str, datetime] | None:
    """One module that the asker sees, with its chapters and his progress in each, as JSON; its version."""
    row = await asker.row(_WITH_CHAPTERS, slug=slug)
    return (row[0], row[1]) if row else None


async def lock_module(session: AsyncSession, slug: str) -> AnyRow | None:
    """The module, held until the end of the transaction by whoever is about to change it."""
    return (await session.execute(_LOCK, {"slug": slug})).one_or_none()


async def add_module(session: AsyncSession, values: Mapping[str, Any]) -> AnyRow:
    """A new module at the end of the course. Raises `IntegrityError` if its slug is taken."""
    published_at = func.now() if values["is_published"] else None
    row = insert(modules).values(**values, position=_NEXT_POSITION, published_at=published_at)
    return (await session.execute(row.returning(*_COLUMNS))).one()


async def change_module(session: AsyncSession, module: UUID, values: Mapping[str, Any]) -> AnyRow:
    """Set the module's columns. Raises `IntegrityError` if its new slug is taken."""
    change = update(modules).where(modules.c.id == module)
    change = change.values(**values, published_at=publication(modules, values["is_published"]))
    return (await session.execute(change.returning(*_COLUMNS))).one()


async def delete_module(session: AsyncSession, module: UUID) -> None:
    """The module, and by the foreign keys everything that belongs to it."""
    await session.execute(delete(modules).where(modules.c.id == module))


async def lock_order(session: AsyncSession) -> set[str]:
    """The slugs of all modules, held until the end of the transaction by whoever is about to reorder them."""
    return set((await session.execute(_LOCK_ORDER)).scalars())


async def reorder_modules(session: AsyncSession, slugs: Sequence[str]) -> None:
    """Number the modules as they are listed; one that stays where it is, is not written."""
    await session.execute(_REORDER, {"slugs": list(slugs)})
