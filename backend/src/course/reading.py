"""From files to the columns of the tables."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.course.errors import CourseInvalid
from src.course.files import ChapterFiles, ModuleFiles
from src.course.front_matter import ChapterFrontMatter, FrontMatter, read_markdown
from src.course.markdown import render

Columns = dict[str, Any]


@dataclass(frozen=True)
class ParsedChapter:
    """A chapter's columns, and those of its translations by language."""

    slug: str
    columns: Columns
    translations: dict[str, Columns]


@dataclass(frozen=True)
class ParsedModule:
    """A module's columns, and its chapters in order."""

    slug: str
    columns: Columns
    chapters: list[ParsedChapter]


def read_module(files: ModuleFiles, position: int, *, original: str, advance: Callable[[], None]) -> ParsedModule:
    """Read the module at `position` (from 1) of a course written in `original`; `advance` is called after each chapter.

    Raises `CourseInvalid`.
    """
    head, text = read_markdown(files.path, FrontMatter)
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
    return ParsedModule(files.slug, columns, chapters)


def _read_chapter(files: ChapterFiles, position: int, original: str) -> ParsedChapter:
    head, text = read_markdown(files.path, ChapterFrontMatter)
    columns = _words(head, text) | {
        "position": position,
        "difficulty_level": head.difficulty,
        "estimated_duration_minutes": head.minutes,
        "learning_objectives": head.objectives,
    }
    if original in files.translations:
        remedy = "Remove it, or set COURSE_LANGUAGE to the language of the originals."
        raise CourseInvalid(files.translations[original], None, f"the original is in {original!r} already", remedy)
    return ParsedChapter(
        files.slug, columns, {tag: _read_translation(path) for tag, path in files.translations.items()}
    )


def _read_translation(path: Path) -> Columns:
    return _words(*read_markdown(path, FrontMatter))


def _words(head: FrontMatter, text: str) -> Columns:
    return {
        "title": head.title,
        "description": head.description,
        "content_html": render(text),
        "is_published": head.published,
    }
