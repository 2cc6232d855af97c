"""HTML in a body is cleaned in a thread, once it is known that an administrator sends it."""

from typing import Annotated, TypeVar

from anyio import to_thread
from fastapi import Depends
from fastapi.exceptions import RequestValidationError

from src.api.schemas.chapters import ChapterContent
from src.api.schemas.translations import TranslationContent
from src.api.security.auth import Administrator
from src.db.content_html import sanitise
from src.db.orderly_html import HtmlUnfit

_Content = TypeVar("_Content", ChapterContent, TranslationContent)


async def _clean(content: _Content) -> _Content:
    if content.content_html is None:
        return content
    try:
        html = await to_thread.run_sync(sanitise, content.content_html)
    except HtmlUnfit as error:
        wrong = {"loc": ("body", "content_html"), "msg": str(error), "type": "value_error"}
        raise RequestValidationError([wrong]) from error
    return content.model_copy(update={"content_html": html})


async def _chapter(_: Administrator, content: ChapterContent) -> ChapterContent:
    return await _clean(content)


async def _translation(_: Administrator, content: TranslationContent) -> TranslationContent:
    return await _clean(content)


CleanChapter = Annotated[ChapterContent, Depends(_chapter)]
CleanTranslation = Annotated[TranslationContent, Depends(_translation)]
