"""HTML in a body is cleaned in a process of its own, once it is known that an administrator sends it.

A browser's parser takes time and memory with the square of some disorders. A thread could not be stopped; a process
is killed when its time is over, and dies alone when its memory is.
"""

from typing import Annotated, TypeVar

from anyio import BrokenWorkerProcess, fail_after, to_process
from fastapi import Depends
from fastapi.exceptions import RequestValidationError

from src.api.dependencies.auth import Administrator
from src.api.schemas.chapters import ChapterContent
from src.api.schemas.translations import TranslationContent
from src.db.content_html import sanitise_within

SECONDS = 20.0
"""Until it is given up: a chapter takes milliseconds, and the first one the start of a process, at times seconds."""
_MEMORY = 1024**3
"""Bytes of address space for the process, the interpreter's own included."""

_Content = TypeVar("_Content", ChapterContent, TranslationContent)


async def _clean(content: _Content) -> _Content:
    if content.content_html is None:
        return content
    try:
        with fail_after(SECONDS):
            html = await to_process.run_sync(sanitise_within, _MEMORY, content.content_html, cancellable=True)
    except (TimeoutError, MemoryError, BrokenWorkerProcess) as error:
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
