"""Chapters: read in the reader's language, written in the course's."""

from http import HTTPStatus

from fastapi import Request, Response

from src.api.dependencies.asker import MaybeAsker, maybe_asker
from src.api.dependencies.auth import AdministratorSession, bearer_token
from src.api.dependencies.clean_html import CleanChapter
from src.api.dependencies.languages import WantedLanguages, wanted_languages
from src.api.http.etag import RequiredIfMatch, etag
from src.api.http.found import complete_order, found
from src.api.http.languages import LONGEST_HEADER
from src.api.http.problems import problems
from src.api.http.representation import represent
from src.api.http.routing import Resource
from src.api.schemas.chapters import Chapter, ReadChapter
from src.api.schemas.course import Order, Slug, is_slug
from src.db.queries import chapters, modules

router = Resource(prefix="/modules/{module}/chapters", tag="course")
NOT_FOUND = HTTPStatus.NOT_FOUND
_CHANGE = (NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.PRECONDITION_REQUIRED)


async def _read_quickly(request: Request) -> Response | None:
    module, chapter = request.path_params["module"], request.path_params["chapter"]
    languages = request.headers.get("accept-language", "")
    if not (is_slug(module) and is_slug(chapter)) or "lang" in request.query_params or len(languages) > LONGEST_HEADER:
        return None
    wanted = await wanted_languages(request.app.state.resources, accept_language=languages)
    asker = await maybe_asker(request, await bearer_token(request))
    return await read_chapter(request, module, chapter, wanted, asker)


@router.hot_get("/{chapter}", _read_quickly, response_model=ReadChapter, responses=problems(NOT_FOUND))
async def read_chapter(
    request: Request, module: Slug, chapter: Slug, wanted: WantedLanguages, asker: MaybeAsker
) -> Response:
    """A chapter in the best of the languages asked for; in the original, and saying so, if it is in none of them."""
    row = await chapters.get_chapter(
        asker,
        module,
        chapter,
        languages=wanted.languages,
        original=wanted.original,
        accepts_original=wanted.accepts_original,
    )
    read = found("chapter", row)
    headers = {"Content-Language": read.language, "Vary": "Authorization, Accept-Language"}
    return represent(request, read.body, updated_at=read.updated_at, headers=headers)


@router.post("", status_code=HTTPStatus.CREATED, responses=problems(NOT_FOUND, HTTPStatus.CONFLICT))
async def add_chapter(
    module: Slug, content: CleanChapter, session: AdministratorSession, response: Response
) -> Chapter:
    """A new chapter at the end of its module."""
    owner = found("module", await modules.lock_module(session, module))
    row = await chapters.add_chapter(session, owner.id, content.model_dump())
    response.headers["ETag"] = etag(row.updated_at)
    return Chapter.model_validate(row)


@router.patch("", status_code=HTTPStatus.NO_CONTENT, responses=problems(NOT_FOUND, HTTPStatus.CONFLICT))
async def reorder_chapters(module: Slug, order: Order, session: AdministratorSession) -> None:
    """Put the chapters of a module into another order; 409 unless it names all of them."""
    owner = found("module", await modules.lock_module(session, module))
    complete_order(order.order, await chapters.lock_order(session, owner.id))
    await chapters.reorder_chapters(session, owner.id, order.order)


@router.put("/{chapter}", responses=problems(*_CHANGE))
async def change_chapter(
    module: Slug,
    chapter: Slug,
    content: CleanChapter,
    session: AdministratorSession,
    if_match: RequiredIfMatch,
    response: Response,
) -> Chapter:
    """Rewrite the chapter, publish it, or withdraw it."""
    row = found("chapter", await chapters.lock_chapter(session, module, chapter))
    if_match.check(row.updated_at)
    changed = await chapters.change_chapter(session, row.id, content.model_dump())
    response.headers["ETag"] = etag(changed.updated_at)
    return Chapter.model_validate(changed)


@router.delete("/{chapter}", status_code=HTTPStatus.NO_CONTENT, responses=problems(*_CHANGE))
async def delete_chapter(module: Slug, chapter: Slug, session: AdministratorSession, if_match: RequiredIfMatch) -> None:
    """Delete the chapter with its translations, and everything that students did in it."""
    row = found("chapter", await chapters.lock_chapter(session, module, chapter))
    if_match.check(row.updated_at)
    await chapters.delete_chapter(session, row.id)
