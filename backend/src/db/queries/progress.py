"""Progress: saved by one statement, summed up for a student, counted for administrators."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    Integer,
    Numeric,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from src.db.enums import ProgressStatus
from src.db.json_parts import json_list, json_object, json_text
from src.db.queries.visibility import CHAPTER_VISIBLE, USER
from src.db.tables import AnyRow, chapter_progress, chapters, modules
from src.db.uuid7 import uuid7
from src.db.viewer_query import Asker, ViewerQuery

mine = chapter_progress.c
_GO_BACK = bindparam("go_back", type_=Boolean())
_COLUMNS = (
    mine.status,
    mine.progress_percentage,
    mine.time_spent_seconds,
    mine.quiz_score,
    mine.quiz_passed,
    mine.exercise_passed,
    mine.started_at,
    mine.completed_at,
    mine.updated_at,
)


@dataclass(frozen=True, slots=True)
class Saved:
    """What a student reports; None leaves a value as it is."""

    progress_percentage: int | None = None
    time_spent_seconds: int | None = None
    quiz_score: float | None = None
    quiz_passed: bool | None = None
    exercise_passed: bool | None = None
    go_back: bool = False


def _given(column: Any) -> ColumnElement[Any]:
    # Said in SQL, because not every driver says of a NULL which type it has.
    return cast(bindparam(column.name, type_=column.type), column.type)


def _further(column: Any) -> ColumnElement[Any]:
    """What is new, but never less than what is there, unless it was asked for (`greatest` passes over NULL)."""
    given = _given(column)
    return case((_GO_BACK, func.coalesce(given, column)), else_=func.greatest(column, given))


def _also(column: Any) -> ColumnElement[Any]:
    """The same for what is true or not: once passed, it stays passed."""
    given = func.coalesce(_given(column), column)
    return case((_GO_BACK, given), else_=or_(column, given))


def _state(percentage: ColumnElement[Any], seconds: ColumnElement[Any], started: Any, completed: Any) -> dict[str, Any]:
    """The columns that follow from the others."""
    is_complete, is_begun = percentage == 100, or_(percentage > 0, seconds > 0)
    states = mine.status.type
    return {
        "status": case(
            (is_complete, cast(ProgressStatus.COMPLETED, states)),
            (is_begun, cast(ProgressStatus.IN_PROGRESS, states)),
            else_=cast(ProgressStatus.NOT_STARTED, states),
        ),
        "started_at": case((is_begun, func.coalesce(started, func.now())), else_=started),
        "completed_at": case((is_complete, func.coalesce(completed, func.now())), else_=None),
    }


_NUMBERS = (mine.progress_percentage, mine.time_spent_seconds)
_FLAGS = (mine.quiz_passed, mine.exercise_passed)
_FIRST = {
    **{column.name: func.coalesce(_given(column), 0) for column in _NUMBERS},
    **{column.name: func.coalesce(_given(column), False) for column in _FLAGS},
    "quiz_score": _given(mine.quiz_score),
}
_NEXT = {
    **{column.name: _further(column) for column in (*_NUMBERS, mine.quiz_score)},
    **{column.name: _also(column) for column in _FLAGS},
}
_FIRST |= _state(_FIRST["progress_percentage"], _FIRST["time_spent_seconds"], None, None)
_NEXT |= _state(_NEXT["progress_percentage"], _NEXT["time_spent_seconds"], mine.started_at, mine.completed_at)

_THE_CHAPTER = and_(modules.c.slug == bindparam("module"), chapters.c.slug == bindparam("chapter"), CHAPTER_VISIBLE)
_SAVE = (
    insert(chapter_progress)
    .from_select(
        ["id", "user_id", "chapter_id", *_FIRST],
        select(bindparam("id", type_=Uuid()), USER, chapters.c.id, *_FIRST.values())
        .select_from(chapters.join(modules))
        .where(_THE_CHAPTER),
    )
    .on_conflict_do_update(index_elements=[mine.user_id, mine.chapter_id], set_=_NEXT)
    .returning(*_COLUMNS)
)
_GET = (
    select(*_COLUMNS)
    .select_from(
        chapters.join(modules).join(
            chapter_progress, and_(mine.chapter_id == chapters.c.id, mine.user_id == USER), isouter=True
        )
    )
    .where(_THE_CHAPTER)
)

# From the user's own rows: the course may be long, and he has read a part of it.
_MINE_BY_MODULE = (
    select(
        chapters.c.module_id,
        func.count().filter(mine.status == ProgressStatus.COMPLETED).label("completed"),
        func.sum(mine.progress_percentage).label("percentages"),
        func.sum(mine.time_spent_seconds).label("seconds"),
        func.max(mine.updated_at).label("last_activity_at"),
    )
    .select_from(chapter_progress.join(chapters, chapters.c.id == mine.chapter_id))
    .where(mine.user_id == USER, chapters.c.is_published)
    .group_by(chapters.c.module_id)
    .subquery("mine")
)
_CHAPTER_COUNT = (
    select(func.count())
    .where(chapters.c.module_id == modules.c.id, chapters.c.is_published)
    .scalar_subquery()
    .label("chapter_count")
)
_COURSE = (
    select(
        modules.c.slug,
        modules.c.title,
        _CHAPTER_COUNT,
        func.coalesce(_MINE_BY_MODULE.c.completed, 0).label("completed_count"),
        func.coalesce(_MINE_BY_MODULE.c.percentages, 0).label("percentages"),
        func.coalesce(_MINE_BY_MODULE.c.seconds, 0).label("time_spent_seconds"),
        _MINE_BY_MODULE.c.last_activity_at,
        modules.c.position,
        modules.c.id,
    )
    .select_from(modules.join(_MINE_BY_MODULE, _MINE_BY_MODULE.c.module_id == modules.c.id, isouter=True))
    .where(modules.c.is_published)
    .subquery("course")
)


def _mean(percentages: Any, chapter_count: Any) -> ColumnElement[Any]:
    """Over all chapters, those not begun included, to one decimal; 0 where there are none."""
    return func.coalesce(func.round(cast(percentages, Numeric) / func.nullif(chapter_count, 0), 1), 0)


_OF_MODULE = json_object(
    *(_COURSE.c[name] for name in ("slug", "title", "chapter_count", "completed_count")),
    *(_COURSE.c[name] for name in ("time_spent_seconds", "last_activity_at")),
    progress_percentage=_mean(_COURSE.c.percentages, _COURSE.c.chapter_count),
)


def _total(name: str) -> ColumnElement[Any]:
    return func.coalesce(func.sum(_COURSE.c[name]), 0)


_AT_A_GLANCE = ViewerQuery(
    select(
        json_text(
            json_object(
                chapter_count=_total("chapter_count"),
                completed_count=_total("completed_count"),
                progress_percentage=_mean(_total("percentages"), _total("chapter_count")),
                time_spent_seconds=_total("time_spent_seconds"),
                modules=json_list(_OF_MODULE, _COURSE.c.position, _COURSE.c.id),
            )
        )
    )
)


def _counted(state: ProgressStatus) -> ColumnElement[int]:
    return func.count().filter(mine.status == state).label(state.value)


_STATISTICS = select(
    func.count().label("student_count"),
    *map(_counted, ProgressStatus),
    func.avg(mine.progress_percentage).cast(Double).label("average_percentage"),
    func.avg(mine.quiz_score).label("average_quiz_score"),
    func.count().filter(mine.quiz_passed).label("quiz_passed_count"),
    func.count().filter(mine.exercise_passed).label("exercise_passed_count"),
    func.percentile_cont(0.5).within_group(mine.time_spent_seconds).cast(Integer).label("median_time_spent_seconds"),
).where(mine.chapter_id == bindparam("chapter"))


async def save_progress(
    session: AsyncSession, user: UUID, module: str, chapter: str, saved: Saved, *, everything: bool
) -> AnyRow | None:
    """Insert or update the user's progress in a chapter that he sees; None if he sees no such chapter.

    One statement, so that any number of devices may save at once: unless `go_back`, nothing ever gets less. At 100
    percent the chapter is completed.
    """
    who = {"id": uuid7(), "user": user, "module": module, "chapter": chapter, "everything": everything}
    given = {name: getattr(saved, name) for name in Saved.__slots__}
    return (await session.execute(_SAVE, who | given)).one_or_none()


async def get_progress(
    session: AsyncSession, user: UUID, module: str, chapter: str, *, everything: bool
) -> AnyRow | None:
    """The user's progress in a chapter that he sees: all None if he never began; None if he sees no such chapter."""
    who = {"user": user, "module": module, "chapter": chapter, "everything": everything}
    return (await session.execute(_GET, who)).one_or_none()


async def course_progress(asker: Asker) -> str:
    """What the asker has done in every published module, and in all of them together, as JSON."""
    body: str = await asker.value(_AT_A_GLANCE)
    return body


async def chapter_statistics(session: AsyncSession, chapter: UUID) -> AnyRow:
    """How the students of one chapter fare; the averages are None without any."""
    return (await session.execute(_STATISTICS, {"chapter": chapter})).one()
