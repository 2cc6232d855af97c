"""A chapter's languages: administrators put, read and delete them; students read chapters."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Request, Response

from src.api.dependencies.auth import Administrator, AdministratorSession
from src.api.dependencies.clean_html import CleanTranslation
from src.api.dependencies.sessions import OpenResources, ReadSession
from src.api.http.etag import OptionalIfMatch, RequiredIfMatch, etag
from src.api.http.found import found
from src.api.http.problems import ProblemError, problems
from src.api.http.representation import represent
from src.api.http.routing import Resource
from src.api.schemas.course import Slug
from src.api.schemas.translations import ListedTranslation, Translation, Translations
from src.db.languages import LONGEST, TAG, canonical_language
from src.db.queries import chapters, translations

router = Resource(prefix="/modules/{module}/chapters/{chapter}/translations", tag="course")
NOT_FOUND = HTTPStatus.NOT_FOUND
_STALE = (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.PRECONDITION_REQUIRED)
Language = Annotated[str, Path(pattern=f"^{TAG}$", max_length=LONGEST, description="A BCP 47 tag", examples=["de"])]


@router.get("", responses=problems(NOT_FOUND))
async def list_translations(module: Slug, chapter: Slug, _: Administrator, session: ReadSession) -> Translations:
    """The languages that a chapter is in besides the original, published or not."""
    row = found("chapter", await chapters.find_chapter(session, module, chapter))
    rows = await translations.list_translations(session, row.id)
    return Translations(translations=[ListedTranslation.model_validate(each) for each in rows])


@router.get("/{language}", response_model=Translation, responses=problems(NOT_FOUND))
async def read_translation(
    request: Request, module: Slug, chapter: Slug, language: Language, _: Administrator, session: ReadSession
) -> Response:
    """A chapter in exactly this language, published or not, to be edited."""
    row = found("chapter", await chapters.find_chapter(session, module, chapter))
    code = canonical_language(language)
    translation = found("translation", await translations.get_translation(session, row.id, code))
    headers = {"Content-Language": code}
    content = Translation.model_validate(translation)
    return represent(request, content.model_dump_json(), updated_at=translation.updated_at, headers=headers)


@router.put(
    "/{language}",
    responses={HTTPStatus.CREATED.value: {"model": Translation}, **problems(NOT_FOUND, HTTPStatus.CONFLICT, *_STALE)},
)
async def put_translation(
    module: Slug,
    chapter: Slug,
    language: Language,
    content: CleanTranslation,
    session: AdministratorSession,
    if_match: OptionalIfMatch,
    resources: OpenResources,
    response: Response,
) -> Translation:
    """Add a language (201), or write it again, which needs If-Match."""
    code = canonical_language(language)
    if code == canonical_language(resources.settings.course_language):
        raise ProblemError(HTTPStatus.CONFLICT, "This is the language of the original; change the chapter itself.")
    row = found("chapter", await chapters.find_chapter(session, module, chapter))
    current = await translations.lock_translation(session, row.id, code)
    if_match.check(current.updated_at if current else None)
    if current is None:
        put = await translations.add_translation(session, row.id, code, content.model_dump())
        response.status_code = HTTPStatus.CREATED
    else:
        put = await translations.change_translation(session, current.id, content.model_dump())
    response.headers["ETag"] = etag(put.updated_at)
    return Translation.model_validate(put)


@router.delete("/{language}", status_code=HTTPStatus.NO_CONTENT, responses=problems(NOT_FOUND, *_STALE))
async def delete_translation(
    module: Slug,
    chapter: Slug,
    language: Language,
    session: AdministratorSession,
    if_match: RequiredIfMatch,
) -> None:
    """The chapter is no longer there in this language."""
    row = found("chapter", await chapters.find_chapter(session, module, chapter))
    code = canonical_language(language)
    current = found("translation", await translations.lock_translation(session, row.id, code))
    if_match.check(current.updated_at)
    await translations.delete_translation(session, current.id)
