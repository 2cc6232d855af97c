"""`python -m src.course import FOLDER`: what stands in the files stands in the database afterwards, all or nothing."""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from src.course.files import find_modules
from src.course.reading import ParsedModule, read_module
from src.db.languages import canonical_language
from src.db.queries.course_import import Outcome, put_row
from src.db.session import unit_of_work
from src.db.tables import chapters, modules, translations
from src.settings import Settings

NAME = "import"
HELP = "load a course from a folder of Markdown files; what is there already and the same is left alone"
WHEN_STOPPED = "It writes everything at once or nothing: run it again."

Outcomes = Counter[tuple[str, Outcome]]


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what comes after the verb."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder of modules, such as ../examples/course")


async def run(
    sessions: async_sessionmaker[AsyncSession], options: Namespace, settings: Settings, console: Console
) -> int:
    """Read all files, then write what is new or differs in one transaction. Raises `CourseInvalid`."""
    original = canonical_language(settings.course_language)
    found = find_modules(options.folder)
    total = sum(len(module.chapters) for module in found)
    with _bar(console) as bar:
        reading, writing = bar.add_task("Reading", total=total), bar.add_task("Writing", total=total)
        course = [
            read_module(files, position, original=original, advance=lambda: bar.advance(reading))
            for position, files in enumerate(found, 1)
        ]
        async with unit_of_work(sessions) as session:
            outcomes = await write_course(session, course, advance=lambda: bar.advance(writing))
    console.print(summary(outcomes), highlight=False)
    return 0


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Where nobody watches, only the sentence at the end is of use.
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


async def write_course(session: AsyncSession, course: list[ParsedModule], *, advance: Callable[[], None]) -> Outcomes:
    """Put every row; what the database has besides (other modules, other chapters) stays as it is."""
    outcomes: Outcomes = Counter()
    for module in course:
        module_id, outcome = await put_row(session, modules, {"slug": module.slug}, module.columns)
        outcomes["module", outcome] += 1
        for chapter in module.chapters:
            key = {"module_id": module_id, "slug": chapter.slug}
            chapter_id, outcome = await put_row(session, chapters, key, chapter.columns)
            outcomes["chapter", outcome] += 1
            for language, columns in chapter.translations.items():
                key = {"chapter_id": chapter_id, "language_code": language}
                _, outcome = await put_row(session, translations, key, columns)
                outcomes["translation", outcome] += 1
            advance()
    return outcomes


def summary(outcomes: Outcomes) -> str:
    """What was read, and what became of it, in one line: 2 modules, 5 chapters: 7 created."""
    kinds, results = Counter[str](), Counter[Outcome]()
    for (kind, outcome), count in outcomes.items():
        kinds[kind] += count
        results[outcome] += count
    read = ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in kinds.items())
    return f"{read}: {', '.join(f'{results[outcome]} {outcome}' for outcome in Outcome if results[outcome])}."
