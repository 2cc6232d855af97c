"""Embeddings, for administrators: a chapter's chunks are replaced at once."""

from contextlib import suppress
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from src.api.dependencies.auth import AdministratorSession, administrators_only
from src.api.http.gradual_json import gradual_route
from src.api.http.problems import ProblemError, problems
from src.api.http.routing import Resource
from src.api.schemas.embeddings import ChunkInput, ChunksInput, ChunksReplaced
from src.db.queries.chapters import lock_chapter
from src.db.queries.embeddings import Chunk, replace_chunks


def _checked(chunk: Any) -> Any:
    """Checked as soon as it is there. What is wrong stays as it is: the whole body's check says where."""
    with suppress(ValidationError):
        return ChunkInput.model_validate(chunk)
    return chunk


# Thousands of vectors as text: nobody else shall make the server read and parse so much.
router = Resource(
    tag="embeddings", largest_body=200_000_000, admit=administrators_only, route_class=gradual_route(_checked)
)


@router.put(
    "/modules/{module}/chapters/{chapter}/embeddings",
    responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
)
async def replace(module: str, chapter: str, given: ChunksInput, session: AdministratorSession) -> ChunksReplaced:
    """Make these the chapter's chunks for one model. Those that are there already, the same, stay as they are."""
    locked = await lock_chapter(session, module, chapter)
    if locked is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "There is no chapter of this name.")
    chunks = [Chunk(chunk.content, chunk.embedding) for chunk in given.chunks]
    replaced = await replace_chunks(session, locked.id, given.model, chunks)
    return ChunksReplaced.model_validate(replaced._asdict())
