"""The chunks of a chapter: what is the same stays, row by row; the rest goes, and comes in again by one binary COPY."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from pgvector import Vector
from pgvector.sqlalchemy import VECTOR
from sqlalchemy import LargeBinary, bindparam, cast, delete, func, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from src.db.tables import AnyRow, chapters, embeddings
from src.db.uuid7 import uuid7
from src.db.vector import sends_binary


class Chunk(NamedTuple):
    """A piece of a chapter's text, and its vector."""

    content: str
    vector: Vector

    @property
    def fingerprint(self) -> bytes:
        """Of text and vector, as PostgreSQL reckons it of a row (`_FINGERPRINT`)."""
        return sha256(self.content.encode() + self.vector.to_binary()).digest()


class Replaced(NamedTuple):
    """How many chunks stayed, came, and went; one that changed both went and came."""

    unchanged: int
    written: int
    removed: int


_TEXT = frozenset({"text", "varchar"})  # the same on the wire
_COLUMNS = {
    "id": {"uuid"},
    "chapter_id": {"uuid"},
    "chunk_index": {"int4"},
    "content": _TEXT,
    "embedding_model": _TEXT,
    "embedding": {"vector"},
}
"""With the types that a COPY in binary of these values may meet."""
_READ_COLUMNS = f"SELECT {', '.join(_COLUMNS)} FROM embeddings"
_OF_CHAPTER = (embeddings.c.chapter_id == bindparam("chapter")) & (embeddings.c.embedding_model == bindparam("model"))
# The vector is reckoned where it is: six kilobytes a row that need not travel. The cast costs nothing, and serves while
# a migration has the column of another type, such as halfvec.
_FINGERPRINT = func.sha256(
    func.convert_to(embeddings.c.content, "UTF8", type_=LargeBinary()).concat(
        func.vector_send(cast(embeddings.c.embedding, VECTOR()), type_=LargeBinary())
    )
)
_FINGERPRINTS = select(embeddings.c.chunk_index, _FINGERPRINT.label("fingerprint")).where(_OF_CHAPTER)
_CONTENTS = select(embeddings.c.chunk_index, embeddings.c.content).where(_OF_CHAPTER)
_CHAPTERS = select(chapters.c.id).order_by(chapters.c.module_id, chapters.c.position, chapters.c.id)
_SOURCE = select(
    chapters.c.slug, chapters.c.title, chapters.c.description, chapters.c.content_html, chapters.c.updated_at
).where(chapters.c.id == bindparam("chapter"))
_HOLD = select(chapters.c.updated_at).where(chapters.c.id == bindparam("chapter")).with_for_update()
_REMOVE = delete(embeddings).where(_OF_CHAPTER, embeddings.c.chunk_index == func.any(bindparam("outdated")))


async def replace_chunks(session: AsyncSession, chapter: UUID, model: str, chunks: Sequence[Chunk]) -> Replaced:
    """Make `chunks` the chapter's, for this model. Sent a second time, they change nothing.

    The caller holds the chapter's row, so that of two at once one comes after the other.
    """
    rows = await session.execute(_FINGERPRINTS, {"chapter": chapter, "model": model})
    stored = {row.chunk_index: row.fingerprint for row in rows}
    changed = {
        index: chunk for index, chunk in enumerate(chunks) if index not in stored or stored[index] != chunk.fingerprint
    }
    return await put_chunks(session, chapter, model, changed, stored.keys(), count=len(chunks))


async def all_chapters(session: AsyncSession) -> Sequence[UUID]:
    """Every chapter there is, published or not, so that it can be found at once when it is."""
    return (await session.execute(_CHAPTERS)).scalars().all()


async def chapter_text(session: AsyncSession, chapter: UUID) -> AnyRow | None:
    """What a chapter's chunks are made of, and when it was changed last."""
    return (await session.execute(_SOURCE, {"chapter": chapter})).one_or_none()


async def hold_chapter(session: AsyncSession, chapter: UUID) -> datetime | None:
    """When the chapter was changed last; nobody changes it before the end of the transaction. None if it is gone."""
    return (await session.execute(_HOLD, {"chapter": chapter})).scalar_one_or_none()


async def contents(session: AsyncSession, chapter: UUID, model: str) -> dict[int, str]:
    """The texts of the chapter's chunks for this model, by their index."""
    rows = await session.execute(_CONTENTS, {"chapter": chapter, "model": model})
    return {row.chunk_index: row.content for row in rows}


async def put_chunks(
    session: AsyncSession,
    chapter: UUID,
    model: str,
    changed: Mapping[int, Chunk],
    stored: Collection[int],
    *,
    count: int,
) -> Replaced:
    """Make it `count` chunks: write `changed`, by index, and leave what else is `stored` of the chapter and model."""
    outdated = set(stored) - (set(range(count)) - changed.keys())
    if outdated:
        await session.execute(_REMOVE, {"chapter": chapter, "model": model, "outdated": list(outdated)})
    rows = [(uuid7(), chapter, index, chunk.content, model, chunk.vector) for index, chunk in sorted(changed.items())]
    if rows:
        await _write(session, rows)
    return Replaced(len(stored) - len(outdated), len(changed), len(outdated))


async def _write(session: AsyncSession, rows: Sequence[tuple[Any, ...]]) -> None:
    """By COPY in binary where driver and columns allow it, in the session's transaction; otherwise by INSERT."""
    connection = await sends_binary(session)
    try:
        if connection is None or not await _can_copy(connection):
            values = [dict(zip(_COLUMNS, [*row[:-1], row[-1].to_list()], strict=True)) for row in rows]
            await session.execute(insert(embeddings), values)
            return
        await connection.copy_records_to_table("embeddings", records=rows, columns=_COLUMNS)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        # What SQLAlchemy would have made of it, so that callers know one kind of error.
        raise DBAPIError("COPY embeddings FROM STDIN", None, error) from error


async def _can_copy(connection: asyncpg.Connection) -> bool:
    """Whether the columns still have the types that this code was written for, until the transaction ends.

    COPY in binary takes bytes for values of whatever type the column has by now: an integer becomes another number in
    a column that a migration has made `real`. INSERT says the type of what it sends, and PostgreSQL converts it.

    Parsing the SELECT takes ACCESS SHARE on the table, which a transaction keeps, and which no change of a type passes;
    and it reads the catalogue as it is once the lock is held, whatever the transaction's snapshot (PostgreSQL 18,
    `parserOpenTable`). asyncpg's COPY keeps what it knows of the columns for as long as the connection lives: it only
    ever learns these types.
    """
    attributes = (await connection.prepare(_READ_COLUMNS, name="")).get_attributes()
    return all(each.type.name in types for each, types in zip(attributes, _COLUMNS.values(), strict=True))
