"""Profiles. An account without a row has an empty one, which the first change makes."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Boolean, bindparam, cast, func, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from src.db.enums import ProgressStatus
from src.db.hot_query import HotQuery, Reader
from src.db.json_parts import json_object, json_text
from src.db.models import Chapter, ChapterProgress, Module, User, UserProfile


class ProfileRow(NamedTuple):
    """A profile as its owner sees it."""

    bio: str | None
    avatar_url: str | None
    organization: str | None
    country: str | None
    email_notifications: bool
    show_progress_publicly: bool


_READ = (
    select(
        UserProfile.bio,
        UserProfile.avatar_url,
        UserProfile.organization,
        UserProfile.country,
        func.coalesce(UserProfile.email_notifications, true()),
        func.coalesce(UserProfile.show_progress_publicly, cast(False, Boolean)),
    )
    .select_from(User)
    .outerjoin(UserProfile, UserProfile.user_id == User.id)
    .where(User.id == bindparam("user_id"))
)
_RETURNED = tuple(getattr(UserProfile, name) for name in ProfileRow._fields)

_published = Chapter.is_published & Module.is_published
_chapters = select(func.count()).select_from(Chapter).join(Module).where(_published).scalar_subquery()
_completed = (
    select(func.count())
    .select_from(ChapterProgress)
    .join(Chapter, Chapter.id == ChapterProgress.chapter_id)
    .join(Module, Module.id == Chapter.module_id)
    .where(ChapterProgress.user_id == User.id, ChapterProgress.status == ProgressStatus.COMPLETED, _published)
    .correlate(User)
    .scalar_subquery()
)
_SHOWN = {
    "user_id": User.id,
    "name": User.name,
    "bio": UserProfile.bio,
    "avatar_url": UserProfile.avatar_url,
    "organization": UserProfile.organization,
    "country": UserProfile.country,
    "chapters_completed": _completed,
    "chapters": _chapters,
}
_PUBLIC = HotQuery(
    select(json_text(json_object(**_SHOWN)))
    .select_from(User)
    .join(UserProfile, UserProfile.user_id == User.id)
    .where(User.id == bindparam("user_id"), User.is_active, UserProfile.show_progress_publicly)
)


async def read(session: AsyncSession, user_id: UUID) -> ProfileRow | None:
    """The profile of an account; None if there is no such account."""
    row = (await session.execute(_READ, {"user_id": user_id})).one_or_none()
    return ProfileRow(*row) if row else None


async def change(session: AsyncSession, user_id: UUID, changes: dict[str, Any]) -> ProfileRow:
    """Set the columns of `changes`, of which there is at least one, in the row that there is or in a new one."""
    statement = insert(UserProfile).values(user_id=user_id, **changes)
    statement = statement.on_conflict_do_update(index_elements=[UserProfile.user_id], set_=changes)
    return ProfileRow(*(await session.execute(statement.returning(*_RETURNED))).one())


async def public(reader: Reader, user_id: UUID) -> str | None:
    """What everybody may see, as JSON; None if the account does not show it, or there is none."""
    body: str | None = await reader.value(_PUBLIC, user_id=user_id)
    return body
