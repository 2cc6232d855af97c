"""Who may change a submission, and when: its author while it is pending, and an administrator until it is decided."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from src.db.enums import SubmissionStatus
from src.db.queries import capstone
from src.db.queries.capstone import SubmissionRow
from src.db.services.rules import Absent, Conflict, Forbidden

_DECIDED = (SubmissionStatus.APPROVED, SubmissionStatus.REJECTED)

Check = Callable[[datetime], None]
"""Gets the `updated_at` of the locked row, and raises if the change was made from another version."""


async def read(session: AsyncSession, submission_id: UUID, viewer_id: UUID, *, is_admin: bool) -> SubmissionRow:
    """One's own, or anyone's for an administrator. Raises `Absent`."""
    return _visible(await capstone.read(session, submission_id), viewer_id, is_admin)


async def change(
    session: AsyncSession, submission_id: UUID, author_id: UUID, changes: dict[str, Any], check: Check
) -> SubmissionRow:
    """The author's change. Raises `Absent`, `Conflict` once a reviewer has it."""
    found = _visible(await capstone.lock(session, submission_id), author_id, is_admin=False)
    if found.status is not SubmissionStatus.PENDING:
        raise Conflict(f"This submission is {found.status}; only a pending one can be changed.")
    check(found.updated_at)
    return await capstone.change(session, submission_id, changes) if changes else found


async def review(
    session: AsyncSession, submission_id: UUID, reviewer_id: UUID, verdict: dict[str, Any], check: Check
) -> SubmissionRow:
    """An administrator's review. Raises `Absent`, `Forbidden` for one's own, `Conflict` once it is decided.

    The row is locked first: of two who decide at once the second one sees the decision of the first.
    """
    found = await capstone.lock(session, submission_id)
    if found is None:
        raise Absent(_ABSENT)
    if found.user_id == reviewer_id:
        raise Forbidden("Nobody reviews a submission of their own.")
    if found.status in _DECIDED:
        raise Conflict(f"This submission is decided: it was {found.status}.")
    check(found.updated_at)
    values = {**verdict, "reviewer_id": reviewer_id}
    decided = verdict["status"] in _DECIDED
    return await (capstone.decide if decided else capstone.change)(session, submission_id, values)


_ABSENT = "There is no such submission."


def _visible(found: SubmissionRow | None, viewer_id: UUID, is_admin: bool) -> SubmissionRow:
    if found is None or not (is_admin or found.user_id == viewer_id):
        raise Absent(_ABSENT)
    return found
