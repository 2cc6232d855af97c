"""Chunks are replaced at once, and what is the same is left alone, row by row."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import psycopg
import pytest
from pgvector import Vector
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from src.db.models import Embedding
from src.db.queries.embeddings import Chunk, Replaced, contents, put_chunks, replace_chunks
from tests.alembic_online.runner.processes import until
from tests.db.queries.conftest import OpenSession
from tests.db.queries.library import MODEL, add_chapter, add_chunks, add_module, values
from tests.db.rows import CHAPTER


@pytest.fixture(params=["postgresql", "postgresql+psycopg"])
async def session(request: Any, migrated: str, open_session: OpenSession) -> AsyncIterator[AsyncSession]:
    with psycopg.connect(migrated) as connection:
        add_module(connection, "tables")
        add_chapter(connection, "tables", "locks")
        connection.execute("UPDATE chapters SET id = %s", [CHAPTER])
        add_chunks(connection, "tables", "locks", [[1]], model="another")
    async with open_session(migrated.replace("postgresql", request.param, 1)) as session:
        yield session


def chunk(content: str, *vector: float) -> Chunk:
    return Chunk(content, Vector(values(*vector)))


async def replaced(session: AsyncSession, *chunks: Chunk) -> Replaced:
    return await replace_chunks(session, CHAPTER, MODEL, chunks)


async def rows(session: AsyncSession) -> Sequence[Any]:
    query = "SELECT id, chunk_index, updated_at, xmin::text FROM embeddings WHERE embedding_model = :model ORDER BY 2"
    return (await session.execute(text(query), {"model": MODEL})).all()


async def test_the_same_twice_changes_no_row(session: AsyncSession) -> None:
    chunks = [chunk("one", 1), chunk("zwö", -0.0, 0.1, 1e-30), chunk("three", 1 / 3)]
    assert await replaced(session, *chunks) == Replaced(unchanged=0, written=3, removed=0)
    before = await rows(session)
    assert await replaced(session, *chunks) == Replaced(unchanged=3, written=0, removed=0)
    assert await rows(session) == before


async def test_only_what_changed_is_written(session: AsyncSession) -> None:
    await replaced(session, chunk("one", 1), chunk("two", 2), chunk("three", 3))
    before = await rows(session)
    outcome = await replaced(session, chunk("one", 1), chunk("two", 2.5), chunk("drei", 3), chunk("four", 4))
    assert outcome == Replaced(unchanged=1, written=3, removed=2)
    after = await rows(session)
    assert [row.chunk_index for row in after] == [0, 1, 2, 3]
    assert after[0] == before[0]
    assert await contents(session, CHAPTER, MODEL) == {0: "one", 1: "two", 2: "drei", 3: "four"}
    stored = (await session.scalars(select(Embedding.embedding).where(Embedding.chunk_index == 1))).one()
    assert list(stored)[:2] == [2.5, 0]


async def test_what_is_no_longer_there_goes(session: AsyncSession) -> None:
    await replaced(session, chunk("one", 1), chunk("two", 2))
    assert await replaced(session, chunk("one", 1)) == Replaced(unchanged=1, written=0, removed=1)
    assert await replaced(session) == Replaced(unchanged=0, written=0, removed=1)


async def test_another_model_keeps_its_chunks(session: AsyncSession) -> None:
    await replaced(session, chunk("one", 1))
    assert await contents(session, CHAPTER, "another") == {0: "chunk 0"}


async def test_an_entity_can_be_added_on_a_connection_that_sends_binary(session: AsyncSession) -> None:
    """pgvector's own type, which the models have, sends text; the codec takes that too."""
    await replaced(session, chunk("one", 1))
    session.add(Embedding(chapter_id=CHAPTER, chunk_index=7, content="seven", embedding=values(0, 7)))
    await session.flush()
    assert (await contents(session, CHAPTER, MODEL))[7] == "seven"


@pytest.mark.parametrize(
    ("column", "there", "back"),
    [
        ("chunk_index", "real", "integer"),  # of one width: a COPY in binary would store 2.8e-45 for 2
        ("chunk_index", "bigint", "integer"),
        ("content", "varchar(100)", "text"),
        ("embedding", "halfvec(1536) USING embedding::halfvec", "vector(1536)"),
    ],
)
async def test_a_connection_that_outlives_a_change_of_type_writes_the_right_values(
    session: AsyncSession, migrated: str, column: str, there: str, back: str
) -> None:
    """Also in the moment after the change, on a connection that has copied before it."""
    await put_chunks(session, CHAPTER, MODEL, {0: chunk("zero", 0.5)}, (), count=1)
    await session.commit()
    for index, changed in enumerate((there, back), start=1):
        with psycopg.connect(migrated) as migrator:
            migrator.execute("DROP INDEX IF EXISTS ix_embeddings_embedding")
            migrator.execute(f"ALTER TABLE embeddings ALTER {column} TYPE {changed}")
        await put_chunks(session, CHAPTER, MODEL, {index: chunk(f"chunk {index}", 0.5)}, (), count=index + 1)
        await session.commit()
        with psycopg.connect(migrated) as reader:
            query = "SELECT content, embedding::text FROM embeddings WHERE embedding_model = %s AND chunk_index = %s"
            stored = reader.execute(query, [MODEL, index]).fetchall()
        assert [(text, Vector.from_text(vector)) for text, vector in stored] == [chunk(f"chunk {index}", 0.5)]


async def test_a_change_of_type_waits_for_the_copy_or_the_copy_for_it(session: AsyncSession, migrated: str) -> None:
    """What was asked of the columns holds until the transaction ends, and is asked once the lock is held."""
    change = "ALTER TABLE embeddings ALTER chunk_index TYPE {}"
    await put_chunks(session, CHAPTER, MODEL, {1: chunk("one", 1)}, (), count=2)
    with psycopg.connect(migrated) as migrator:
        migrator.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            migrator.execute(change.format("real"))
        migrator.rollback()
        await session.commit()
        migrator.execute(change.format("real"))
        writing = asyncio.create_task(put_chunks(session, CHAPTER, MODEL, {2: chunk("two", 2)}, (), count=3))
        with psycopg.connect(migrated, autocommit=True) as watcher:
            waiting = "SELECT FROM pg_locks WHERE NOT granted"
            await asyncio.to_thread(until, lambda: watcher.execute(waiting).rowcount)
        migrator.commit()
        await writing
    assert sorted(await contents(session, CHAPTER, MODEL)) == [1, 2]
