"""Capstone submissions: one person's, newest first, and the review queue, oldest first; both by keyset pages."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from src.db.enums import SubmissionStatus
from src.db.models import CapstoneSubmission as Capstone

Key = tuple[datetime, UUID]


class SubmissionRow(NamedTuple):
    """A submission; `reviewer_id` is None until somebody has taken it up, and again when that account is gone."""

    id: UUID
    user_id: UUID
    title: str
    description: str
    source_code_url: str | None
    demo_url: str | None
    status: SubmissionStatus
    score: float | None
    feedback: str | None
    reviewer_id: UUID | None
    submitted_at: datetime
    reviewed_at: datetime | None
    updated_at: datetime


_COLUMNS = tuple(getattr(Capstone, name) for name in SubmissionRow._fields)
_THIS = Capstone.id == bindparam("submission_id")
_READ = select(*_COLUMNS).where(_THIS)
_LOCK = _READ.with_for_update()
_SUBMIT = insert(Capstone).returning(*_COLUMNS)
_CHANGE = update(Capstone).where(_THIS).returning(*_COLUMNS)
_position = tuple_(Capstone.submitted_at, Capstone.id)
_seen = tuple_(bindparam("seen_at"), bindparam("seen_id"))
_newest = (Capstone.submitted_at.desc(), Capstone.id.desc())
_oldest = (Capstone.submitted_at, Capstone.id)
_MINE = select(*_COLUMNS).where(Capstone.user_id == bindparam("user_id")).order_by(*_newest).limit(bindparam("count"))
_MORE_OF_MINE = _MINE.where(_position < _seen)
_QUEUE = (
    select(*_COLUMNS).where(Capstone.status == SubmissionStatus.PENDING).order_by(*_oldest).limit(bindparam("count"))
)
_MORE_OF_QUEUE = _QUEUE.where(_position > _seen)


async def submit(session: AsyncSession, user_id: UUID, values: dict[str, Any]) -> SubmissionRow:
    """A new submission, pending."""
    return SubmissionRow(*(await session.execute(_SUBMIT, {"user_id": user_id, **values})).one())


async def read(session: AsyncSession, submission_id: UUID) -> SubmissionRow | None:
    """The submission."""
    return await _one(session, _READ, submission_id)


async def lock(session: AsyncSession, submission_id: UUID) -> SubmissionRow | None:
    """The submission, which nobody else can change before the end of this transaction."""
    return await _one(session, _LOCK, submission_id)


async def change(session: AsyncSession, submission_id: UUID, values: dict[str, Any]) -> SubmissionRow:
    """Set the columns of `values`, of which there is at least one, of a submission that is locked."""
    return SubmissionRow(*(await session.execute(_CHANGE.values(values), {"submission_id": submission_id})).one())


async def decide(session: AsyncSession, submission_id: UUID, values: dict[str, Any]) -> SubmissionRow:
    """Set the columns of `values` as its decision of this moment."""
    return await change(session, submission_id, {**values, "reviewed_at": func.now()})


async def mine(session: AsyncSession, user_id: UUID, count: int, after: Key | None) -> list[SubmissionRow]:
    """Up to `count` submissions of a person, newest first, older than the one of `after`."""
    return await _page(session, _MORE_OF_MINE if after else _MINE, count, after, user_id=user_id)


async def queue(session: AsyncSession, count: int, after: Key | None) -> list[SubmissionRow]:
    """Up to `count` pending submissions, oldest first, younger than the one of `after`."""
    return await _page(session, _MORE_OF_QUEUE if after else _QUEUE, count, after)


async def _one(session: AsyncSession, statement: Select[*tuple[Any, ...]], submission_id: UUID) -> SubmissionRow | None:
    row = (await session.execute(statement, {"submission_id": submission_id})).one_or_none()
    return SubmissionRow(*row) if row else None


async def _page(
    session: AsyncSession, statement: Select[*tuple[Any, ...]], count: int, after: Key | None, **values: Any
) -> list[SubmissionRow]:
    seen = {"seen_at": after[0], "seen_id": after[1]} if after else {}
    return [SubmissionRow(*row) for row in await session.execute(statement, {"count": count, **seen, **values})]
