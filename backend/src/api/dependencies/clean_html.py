"""HTML in a body is cleaned in a process of its own, once it is known that an administrator sends it.

A browser's parser takes time and memory with the square of some disorders. A thread could not be stopped; a process
is killed when its time is over, and dies alone when its memory is.
"""

import logging
from http import HTTPStatus
from typing import Annotated, TypeVar

from anyio import BrokenWorkerProcess, fail_after, to_process
from fastapi import Depends
from fastapi.exceptions import RequestValidationError

from src.api.dependencies.auth import Administrator
from src.api.http.problems import ProblemError
from src.api.schemas.chapters import ChapterContent
from src.api.schemas.translations import TranslationContent
from src.db.content_html import sanitise, sanitise_within

SECONDS = 20.0
"""Until it is given up. A chapter takes milliseconds; the start of a process is not counted."""
_MEMORY = 1024**3
"""Bytes of address space for the process, the interpreter's own included."""

_Content = TypeVar("_Content", ChapterContent, TranslationContent)
_log = logging.getLogger(__name__)


async def _process_is_up() -> None:
    """Start it unless there is one: neither a slow start nor a process that was ended is the fault of the text."""
    for _ in range(2):  # an idle process may have been ended from outside; then another is started
        try:
            await to_process.run_sync(sanitise, "", cancellable=True)
        except BrokenWorkerProcess as error:
            _log.warning("The process that cleans HTML did not answer: %r.", error.__cause__ or error)
        else:
            return
    detail = "No process that cleans HTML could be started; try again shortly."
    raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "1"})


async def _clean(content: _Content) -> _Content:
    if content.content_html is None:
        return content
    await _process_is_up()
    try:
        with fail_after(SECONDS):
            html = await to_process.run_sync(sanitise_within, _MEMORY, content.content_html, cancellable=True)
    except (TimeoutError, MemoryError, BrokenWorkerProcess) as error:
        _log.warning("HTML of %d characters was not cleaned: %r.", len(content.content_html), error.__cause__ or error)
        why = f"could not be read within {SECONDS:g} s and {_MEMORY // 1024**2:,} MB: close its tags, and nest fewer"
        wrong = {"loc": ("body", "content_html"), "msg": why, "type": "value_error"}
        raise RequestValidationError([wrong]) from error
    return content.model_copy(update={"content_html": html})


async def _chapter(_: Administrator, content: ChapterContent) -> ChapterContent:
    return await _clean(content)


async def _translation(_: Administrator, content: TranslationContent) -> TranslationContent:
    return await _clean(content)


CleanChapter = Annotated[ChapterContent, Depends(_chapter)]
CleanTranslation = Annotated[TranslationContent, Depends(_translation)]
