"""A course as a folder: each folder in it is a module, each Markdown file in that a chapter or a translation of one.

course/
  01-basics/                 a module; the number gives its place, the rest is its slug
    module.md                its title and description
    01-what-is-a-table.md    a chapter
    01-what-is-a-table.de.md the same in German
"""

import re
from dataclasses import dataclass
from pathlib import Path

from src.course.errors import CourseInvalid
from src.db.languages import LONGEST, TAG, canonical_language

MODULE_FILE = "module.md"
_SLUG = r"(?:(?P<number>\d+)[-_.])?(?P<slug>[a-z0-9]+(?:-[a-z0-9]+)*)"
_FOLDER = re.compile(_SLUG)
_FILE = re.compile(rf"{_SLUG}(?:\.(?P<language>{TAG}))?\.md")
_NAMES = "Name it like 01-first-steps, in small letters, digits and hyphens, 100 characters at most"


@dataclass(frozen=True)
class ChapterFiles:
    """The original, and the translations by their language."""

    slug: str
    path: Path
    translations: dict[str, Path]


@dataclass(frozen=True)
class ModuleFiles:
    """The file that names the module, and its chapters in order."""

    slug: str
    path: Path
    chapters: list[ChapterFiles]


def find_modules(folder: Path) -> list[ModuleFiles]:
    """The modules of the course in `folder`, in order. Raises `CourseInvalid`."""
    inside = _folders(folder)
    if not inside:
        raise CourseInvalid(folder, None, "no folder in it holds a Markdown file", f"See {__name__} for the layout.")
    named = sorted(_named(path, _FOLDER) for path in inside)
    _check_unique([(slug, path) for _, slug, _, path in named])
    return [ModuleFiles(slug, path / MODULE_FILE, _find_chapters(path)) for _, slug, _, path in named]


def _folders(folder: Path) -> list[Path]:
    """Those in it that hold Markdown files."""
    try:
        inside = [path for path in folder.iterdir() if path.name[0] != "." and path.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        remedy = "Name the folder that holds the modules' folders."
        raise CourseInvalid(folder, None, "there is no such folder", remedy) from None
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
        raise CourseInvalid(folder, None, problem, "Look at its name and at its rights.") from None
    return [path for path in inside if any(path.glob("*.md"))]


def _find_chapters(folder: Path) -> list[ChapterFiles]:
    if not (folder / MODULE_FILE).is_file():
        raise CourseInvalid(folder, None, f"it has no {MODULE_FILE}", "Add one with the module's title.")
    named = sorted(_named(path, _FILE) for path in folder.glob("*.md") if path.name != MODULE_FILE)
    _check_unique([(f"{slug} {language}", path) for _, slug, language, path in named])
    originals = {slug: ChapterFiles(slug, path, {}) for _, slug, language, path in named if not language}
    for _, slug, language, path in named:
        if language and slug not in originals:
            raise CourseInvalid(path, None, "the chapter that it translates is not there", f"Add {slug}.md beside it.")
        if language:
            originals[slug].translations[language] = path
    return list(originals.values())


def _named(path: Path, pattern: re.Pattern[str]) -> tuple[float, str, str, Path]:
    """The number (infinite without one), slug and language of the name, to sort by; and the path."""
    match = pattern.fullmatch(path.name)
    if match is None or len(match["slug"]) > 100:
        language = " (.md, or .de.md for a translation)" if pattern is _FILE else ""
        raise CourseInvalid(path, None, "its name gives no slug", f"{_NAMES}{language}.")
    number = float(match["number"]) if match["number"] else float("inf")
    return number, match["slug"], _language(match, path), path


def _language(match: re.Match[str], path: Path) -> str:
    language = canonical_language(match.groupdict().get("language") or "")
    if len(language) > LONGEST:
        raise CourseInvalid(path, None, "its language tag is too long", f"Use {LONGEST} characters at most.")
    return language


def _check_unique(named: list[tuple[str, Path]]) -> None:
    seen: dict[str, Path] = {}
    for name, path in named:
        if name in seen:
            problem = f"it is called like {seen[name].name}, but for the number or the case"
            raise CourseInvalid(path, None, problem, "Rename one of them.")
        seen[name] = path
