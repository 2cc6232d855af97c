"""The chunks of a chapter, with vectors that were made elsewhere."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from src.api.schemas.base import Body
from src.api.schemas.vectors import VectorInput
from src.db.storable import Storable
from src.db.vector import DEFAULT_MODEL

MAXIMUM_CHUNKS = 5_000


class ChunkInput(Body):
    """A piece of the chapter's text, as it is, and its vector."""

    model_config = ConfigDict(str_strip_whitespace=False)

    content: Annotated[str, Storable] = Field(min_length=1, max_length=20_000, examples=["A lock is waited for."])
    embedding: VectorInput


class ChunksInput(Body):
    """All chunks of a chapter for one model, in their order; none at all removes them."""

    model: Annotated[str, Storable] = Field(default=DEFAULT_MODEL, min_length=1, max_length=100)
    chunks: list[ChunkInput] = Field(max_length=MAXIMUM_CHUNKS)


class ChunksReplaced(BaseModel):
    """What became of the chunks; one that changed was removed and written."""

    unchanged: int = Field(examples=[40])
    written: int = Field(examples=[2])
    removed: int = Field(examples=[3])
