"""Texts become vectors: `POST /embeddings` of OpenAI's API."""

import asyncio
from collections.abc import Sequence
from math import isfinite

import httpx
from pgvector import Vector
from pydantic import BaseModel, ValidationError

from src.inference.endpoint import check_status, failures
from src.inference.errors import ServiceFailed

PATIENCE = 2.0
"""Seconds that somebody who searches waits for a vector."""

_SERVICE = "embedding"


class _Embedding(BaseModel):
    index: int
    embedding: list[float]


class _Answer(BaseModel):
    data: list[_Embedding]


class Embedder:
    """Asks one service, which is given by the client's address, for the vectors of one model."""

    def __init__(self, client: httpx.AsyncClient, model: str, dimensions: int) -> None:
        self.model = model
        self._client = client
        self._dimensions = dimensions

    async def embed(self, texts: Sequence[str], *, patience: float) -> list[Vector]:
        """A vector for each of the texts, in their order, within `patience` seconds. Raises `ServiceFailed`."""
        with failures(_SERVICE, patience):
            async with asyncio.timeout(patience):
                asked = {"model": self.model, "input": list(texts)}
                response = await self._client.post("embeddings", json=asked, timeout=patience)
        check_status(response, _SERVICE)
        return self._read(response.content, len(texts))

    def _read(self, body: bytes, count: int) -> list[Vector]:
        try:
            answer = _Answer.model_validate_json(body)
        except ValidationError as error:
            raise ServiceFailed("The embedding service answered something else than embeddings.") from error
        in_order = sorted(answer.data, key=lambda item: item.index)
        if [item.index for item in in_order] != list(range(count)):
            raise ServiceFailed(f"The embedding service answered {len(in_order)} embeddings for {count} texts.")
        return [self._vector(item.embedding) for item in in_order]

    def _vector(self, values: list[float]) -> Vector:
        vector = Vector(values)
        numbers = vector.to_list()  # with 32 bits each: what was large is infinite, and what was tiny zero
        if len(numbers) != self._dimensions or not isfinite(sum(numbers)) or not any(numbers):
            raise ServiceFailed(
                f"The embedding service answered vectors of {len(values)} numbers;"
                f" {self._dimensions} are needed, finite, and not all zero."
            )
        return vector
