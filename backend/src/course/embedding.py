"""`python -m src.course embed`: vectors for every chunk of every chapter that has changed since the last time."""

import asyncio
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from html import escape
from uuid import UUID

from pgvector import Vector
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from src.course.chunks import chunks
from src.course.errors import EmbeddingStopped, NoEmbeddingService
from src.db.queries.embeddings import Chunk, all_chapters, chapter_text, contents, hold_chapter, put_chunks
from src.db.session import unit_of_work
from src.db.vector import DIMENSIONS
from src.inference.embedder import Embedder
from src.inference.errors import ServiceBusy, ServiceFailed
from src.inference.services import open_services
from src.settings import Settings

NAME = "embed"
HELP = "make the vectors of all chapters that have changed, so that they can be searched by meaning"
WHEN_STOPPED = "The chapters that were done stay so: run it again to go on."

_AT_ONCE = 4  # chapters: while one waits for its vectors, others are read and written
_BATCH = 64  # texts a request
_PATIENCE = 60.0  # seconds a request, and before another try where the service has too many
_TRIES = 6

Sessions = async_sessionmaker[AsyncSession]


class Outcome(StrEnum):
    """What became of a chapter."""

    EMBEDDED = "embedded"
    UNCHANGED = "unchanged"
    OVERTAKEN = "changed meanwhile, run it again"


def add_arguments(parser: ArgumentParser) -> None:
    """There are none."""


async def run(sessions: Sessions, options: Namespace, settings: Settings, console: Console) -> int:
    """Go through all chapters, each in a transaction of its own. Raises `NoEmbeddingService`, `EmbeddingStopped`."""
    async with open_services(settings, dimensions=DIMENSIONS) as services, sessions() as session:
        if services.embedder is None:
            raise NoEmbeddingService
        found = await all_chapters(session)
        await session.close()
        outcomes = await _embed_all(sessions, services.embedder, found, console)
    console.print(_summary(outcomes), highlight=False)
    return 0


async def _embed_all(
    sessions: Sessions, embedder: Embedder, found: Sequence[UUID], console: Console
) -> Counter[Outcome]:
    outcomes, waiting = Counter[Outcome](), iter(found)
    with _bar(console) as bar:
        embedding = bar.add_task("Embedding", total=len(found))

        async def work() -> None:
            for chapter in waiting:
                outcomes[await embed_chapter(sessions, embedder, chapter)] += 1
                bar.advance(embedding)

        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(_AT_ONCE):
                    workers.create_task(work())
        except ExceptionGroup as failures:
            raise _first(failures, done=outcomes.total(), total=len(found)) from failures
    return outcomes


def _first(failures: ExceptionGroup[Exception], *, done: int, total: int) -> Exception:
    failure = failures.exceptions[0]
    return EmbeddingStopped(str(failure), done=done, total=total) if isinstance(failure, ServiceFailed) else failure


async def embed_chapter(sessions: Sessions, embedder: Embedder, chapter: UUID) -> Outcome:
    """Make the chunks of one chapter true, asking the service only for those whose text is new."""
    async with unit_of_work(sessions) as session:
        source = await chapter_text(session, chapter)
        stored = await contents(session, chapter, embedder.model)
    if source is None:
        return Outcome.OVERTAKEN
    texts = chunks(source.title, f"<p>{escape(source.description)}</p>{source.content_html or ''}")
    new = {index: text for index, text in enumerate(texts) if stored.get(index) != text}
    if not new and len(stored) == len(texts):
        return Outcome.UNCHANGED
    changed = await _vectors(embedder, new)
    async with unit_of_work(sessions) as session:
        # No transaction was open while the service worked: is what it was asked for still what is wanted?
        updated_at = await hold_chapter(session, chapter)
        if updated_at != source.updated_at or await contents(session, chapter, embedder.model) != stored:
            return Outcome.OVERTAKEN
        await put_chunks(session, chapter, embedder.model, changed, stored.keys(), count=len(texts))
    return Outcome.EMBEDDED


async def _vectors(embedder: Embedder, texts: Mapping[int, str]) -> dict[int, Chunk]:
    indexes, made = list(texts), dict[int, Chunk]()
    for start in range(0, len(indexes), _BATCH):
        batch = indexes[start : start + _BATCH]
        vectors = await _asked(embedder, [texts[index] for index in batch])
        made |= {index: Chunk(texts[index], vector) for index, vector in zip(batch, vectors, strict=True)}
    return made


async def _asked(embedder: Embedder, texts: Sequence[str]) -> list[Vector]:
    """The vectors; a service that has too many requests is asked again after as long as it says."""
    for tried in range(_TRIES - 1):
        try:
            return await embedder.embed(texts, patience=_PATIENCE)
        except ServiceBusy as busy:
            await asyncio.sleep(min(2.0**tried if busy.wait is None else busy.wait, _PATIENCE))
    return await embedder.embed(texts, patience=_PATIENCE)


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _summary(outcomes: Counter[Outcome]) -> str:
    total = outcomes.total()
    results = ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in Outcome if outcomes[outcome])
    return f"{total} chapter{'' if total == 1 else 's'}: {results}." if total else "There are no chapters yet."
