"""From files to the columns of the tables."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.course.errors import CourseInvalid
from src.course.files import ChapterFiles, ModuleFiles
from src.course.front_matter import ChapterHead, Head, read_markdown
from src.course.markdown import render
from src.db.orderly_html import HtmlUnfit

Columns = dict[str, Any]


@dataclass(frozen=True)
class ReadChapter:
    """A chapter's columns, and those of its translations by language."""

    slug: str
    columns: Columns
    translations: dict[str, Columns]


@dataclass(frozen=True)
class ReadModule:
    """A module's columns, and its chapters in order."""

    slug: str
    columns: Columns
    chapters: list[ReadChapter]


def read_module(files: ModuleFiles, position: int, *, original: str, advance: Callable[[], None]) -> ReadModule:
    """Read the module at `position` (from 1) of a course written in `original`; `advance` is called after each chapter.

    Raises `CourseInvalid`.
    """
    head, text = read_markdown(files.path, Head)
    columns = {
        "title": head.title,
        "description": head.description or text.strip(),
        "position": position,
        "is_published": head.published,
    }
    chapters = []
    for number, chapter in enumerate(files.chapters, 1):
        chapters.append(_read_chapter(chapter, number, original))
        advance()
    return ReadModule(files.slug, columns, chapters)


def _read_chapter(files: ChapterFiles, position: int, original: str) -> ReadChapter:
    head, text = read_markdown(files.path, ChapterHead)
    columns = _words(files.path, head, text) | {
        "position": position,
        "difficulty_level": head.difficulty,
        "estimated_duration_minutes": head.minutes,
        "learning_objectives": head.objectives,
    }
    if original in files.translations:
        remedy = "Remove it, or set COURSE_LANGUAGE to the language of the originals."
        raise CourseInvalid(files.translations[original], None, f"the original is in {original!r} already", remedy)
    return ReadChapter(files.slug, columns, {tag: _read_translation(path) for tag, path in files.translations.items()})


def _read_translation(path: Path) -> Columns:
    return _words(path, *read_markdown(path, Head))


def _words(path: Path, head: Head, text: str) -> Columns:
    try:
        html = render(text)
    except HtmlUnfit as error:
        raise CourseInvalid(path, None, str(error), "Look at the HTML in it.") from None
    return {
        "title": head.title,
        "description": head.description,
        "content_html": html,
        "is_published": head.published,
    }
