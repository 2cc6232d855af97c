"""Progress: a student saves and sees his own, administrators see a chapter's numbers."""

from http import HTTPStatus

from fastapi import Request, Response

from src.api.dependencies.asker import SignedInAsker, signed_in_asker
from src.api.dependencies.auth import Administrator, SignedIn, bearer_token
from src.api.dependencies.sessions import ReadSession, Session
from src.api.http.found import found
from src.api.http.problems import problems
from src.api.http.representation import represent
from src.api.http.routing import Resource
from src.api.schemas.course import Slug
from src.api.schemas.progress import ChapterStatistics, CourseProgress, Progress, SavedProgress
from src.db.queries import chapters, progress

router = Resource(tag="progress")
_CHAPTER = "/modules/{module}/chapters/{chapter}"
_NOT_FOUND = problems(HTTPStatus.NOT_FOUND)


async def _read_quickly(request: Request) -> Response:
    return await my_course(request, await signed_in_asker(request, await bearer_token(request)))


@router.hot_get("/progress", _read_quickly, response_model=CourseProgress)
async def my_course(request: Request, asker: SignedInAsker) -> Response:
    """My course at a glance: every module, and all of them together."""
    return represent(request, await progress.course_progress(asker))


@router.get(f"{_CHAPTER}/progress", responses=_NOT_FOUND)
async def my_progress(module: Slug, chapter: Slug, viewer: SignedIn, session: ReadSession) -> Progress:
    """How far I am in a chapter."""
    row = await progress.get_progress(session, viewer.id, module, chapter, everything=viewer.is_admin)
    row = found("chapter", row)
    return Progress() if row.status is None else Progress.model_validate(row)


@router.put(f"{_CHAPTER}/progress", responses=_NOT_FOUND)
async def save_progress(
    module: Slug, chapter: Slug, saved: SavedProgress, viewer: SignedIn, session: Session
) -> Progress:
    """Save what I have done: from any number of devices at once, and as often as a bad network asks for it."""
    what = progress.Saved(**saved.model_dump())
    row = await progress.save_progress(session, viewer.id, module, chapter, what, everything=viewer.is_admin)
    return Progress.model_validate(found("chapter", row))


@router.get(f"{_CHAPTER}/statistics", responses=_NOT_FOUND)
async def chapter_statistics(module: Slug, chapter: Slug, _: Administrator, session: ReadSession) -> ChapterStatistics:
    """How the students of a chapter fare."""
    row = found("chapter", await chapters.find_chapter(session, module, chapter))
    return ChapterStatistics.model_validate(await progress.chapter_statistics(session, row.id))
