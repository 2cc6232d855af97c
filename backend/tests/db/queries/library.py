"""A small course with chunks to search in: words, and vectors that lie in few dimensions."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import psycopg
from pgvector import Vector

from src.db.vector import DIMENSIONS

MODEL = "text-embedding-3-small"
_SPREAD = 8  # dimensions that differ; in all 1536, random vectors are all equally far from each other
_random = random.Random(7)


@dataclass(frozen=True)
class Chunk:
    """A row of `embeddings`, and where it lies."""

    module: str
    chapter: str
    index: int
    values: Sequence[float]


def values(*first: float) -> list[float]:
    """A vector of the table's length that begins like this."""
    return [*first, *[0.0] * (DIMENSIONS - len(first))]


def somewhere() -> list[float]:
    """A random vector."""
    return [_random.gauss(0, 1) for _ in range(_SPREAD)]


def distance(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine distance, as Python reckons it."""
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return 1 - product / sqrt(sum(a * a for a in one) * sum(b * b for b in other))


def add_module(connection: psycopg.Connection, slug: str, *, is_published: bool = True) -> None:
    connection.execute(
        "INSERT INTO modules (slug, title, description, position, is_published) VALUES (%s, %s, '', 1, %s)",
        [slug, slug.title(), is_published],
    )


def add_chapter(
    connection: psycopg.Connection,
    module: str,
    slug: str,
    *,
    title: str = "",
    description: str = "",
    content: str = "",
    is_published: bool = True,
) -> None:
    connection.execute(
        "INSERT INTO chapters (module_id, slug, title, description, content_html, position, is_published)"
        " SELECT id, %s, %s, %s, %s, 1, %s FROM modules WHERE slug = %s",
        [slug, title or slug.title(), description, content, is_published, module],
    )


def add_chunks(
    connection: psycopg.Connection,
    module: str,
    chapter: str,
    vectors: Sequence[Sequence[float]],
    *,
    contents: Sequence[str] = (),
    model: str = MODEL,
) -> list[Chunk]:
    """Chunks of a chapter, numbered from 0."""
    query = (
        "SELECT chapters.id FROM chapters JOIN modules ON modules.id = module_id"
        " WHERE modules.slug = %s AND chapters.slug = %s"
    )
    [chapter_id] = connection.execute(query, [module, chapter]).fetchone() or [None]
    chunks = [Chunk(module, chapter, index, vector) for index, vector in enumerate(vectors)]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO embeddings (chapter_id, chunk_index, content, embedding_model, embedding)"
            " VALUES (%s, %s, %s, %s, %s)",
            [
                (
                    chapter_id,
                    chunk.index,
                    contents[chunk.index] if contents else f"chunk {chunk.index}",
                    model,
                    Vector(values(*chunk.values)).to_text(),
                )
                for chunk in chunks
            ],
        )
    return chunks
