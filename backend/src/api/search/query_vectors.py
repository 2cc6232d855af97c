"""Vectors of what people look for. The next page of a search, and what a whole class looks for, asks nobody again."""

from collections import OrderedDict

from pgvector import Vector

from src.inference.embedder import Embedder

_REMEMBERED = 500  # texts, of 6 KB each with their vectors


class QueryVectors:
    """Asks an embedding service, and remembers what it said last."""

    def __init__(self, embedder: Embedder) -> None:
        self.model = embedder.model
        self._embedder = embedder
        self._remembered = OrderedDict[str, Vector]()

    def remembers(self, text: str) -> bool:
        """Whether nobody will be asked for the vector of `text`."""
        return text in self._remembered

    async def of(self, text: str, *, patience: float) -> Vector:
        """The vector of `text`, within `patience` seconds. Raises `ServiceFailed`."""
        vector = self._remembered.pop(text, None)
        if vector is None:
            [vector] = await self._embedder.embed([text], patience=patience)
        self._remembered[text] = vector  # as the latest
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return vector
