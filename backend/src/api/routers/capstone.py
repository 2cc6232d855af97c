"""Capstone projects: hand in, change while pending, review. A change names the version that it is made from."""

from http import HTTPStatus
from uuid import UUID

from fastapi import Request, Response

from src.api.dependencies.auth import Administrator, AdministratorSession, SignedIn
from src.api.dependencies.sessions import ReadSession, Session
from src.api.http.etag import RequiredIfMatch, etag, is_current, not_modified
from src.api.http.pages import BY_TIME, Page, PageRequest, Paging
from src.api.http.routing import Resource
from src.api.schemas.capstone import NewSubmission, Review, Submission, SubmissionChange
from src.db.queries import capstone
from src.db.services import capstone as capstone_service

router = Resource(prefix="/capstone", tag="capstone")


@router.post("/submissions", status_code=HTTPStatus.CREATED)
async def submit(project: NewSubmission, viewer: SignedIn, session: Session, response: Response) -> Submission:
    """Hand in a project."""
    return _versioned(response, await capstone.submit(session, viewer.id, project.model_dump()))


@router.get("/submissions")
async def list_mine(viewer: SignedIn, session: ReadSession, paging: Paging) -> Page[Submission]:
    """My submissions, newest first."""
    return _page(paging, await capstone.mine(session, viewer.id, paging.limit + 1, paging.after(BY_TIME)))


@router.get("/queue")
async def list_queue(_: Administrator, session: ReadSession, paging: Paging) -> Page[Submission]:
    """What waits for a review, oldest first."""
    return _page(paging, await capstone.queue(session, paging.limit + 1, paging.after(BY_TIME)))


@router.get("/submissions/{submission_id}", response_model=Submission)
async def read_submission(
    submission_id: UUID, viewer: SignedIn, session: ReadSession, request: Request, response: Response
) -> Submission | Response:
    """One of my submissions; any one for administrators."""
    found = await capstone_service.read(session, submission_id, viewer.id, is_admin=viewer.is_admin)
    tag = etag(found.updated_at)
    return not_modified(tag) if is_current(request, tag) else _versioned(response, found)


@router.patch("/submissions/{submission_id}")
async def change_submission(
    submission_id: UUID,
    change: SubmissionChange,
    viewer: SignedIn,
    if_match: RequiredIfMatch,
    session: Session,
    response: Response,
) -> Submission:
    """Change one of mine while it is pending."""
    changed = await capstone_service.change(session, submission_id, viewer.id, change.changes(), if_match.check)
    return _versioned(response, changed)


@router.put("/submissions/{submission_id}/review")
async def review_submission(
    submission_id: UUID,
    review: Review,
    viewer: Administrator,
    if_match: RequiredIfMatch,
    session: AdministratorSession,
    response: Response,
) -> Submission:
    """Take a submission up, or decide it. Nobody reviews their own, and a decided one is closed."""
    verdict = review.model_dump()
    reviewed = await capstone_service.review(session, submission_id, viewer.id, verdict, if_match.check)
    return _versioned(response, reviewed)


def _versioned(response: Response, found: capstone.SubmissionRow) -> Submission:
    response.headers["ETag"] = etag(found.updated_at)
    return Submission.model_validate(found)


def _page(paging: PageRequest, rows: list[capstone.SubmissionRow]) -> Page[Submission]:
    return paging.page(rows, BY_TIME, lambda row: (row.submitted_at, row.id), Submission.model_validate)
