"""Vectors on their way into a table: in binary, through a codec of asyncpg.

pgvector's own SQLAlchemy type sends text, which costs 18 to 21 times as much. The codec needs the extension, so it is
registered on a connection when that connection writes vectors, and never by the migration engine. It also takes the
text that pgvector's type makes, so that the models keep working on a connection that has it.
"""

from typing import Any, cast

import asyncpg
from pgvector import Vector
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

DIMENSIONS = 1536
"""Of `embeddings.embedding`, and so of every vector that is compared with it."""
DEFAULT_MODEL = "text-embedding-3-small"
"""Of a vector whose model nobody names, as of a row of `embeddings`."""

_TYPE = (
    "SELECT t.oid, nspname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = 'vector'::regtype"
)
_KNOWN = "OID of vector"


class HotConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no annotations
    """A connection of the hot queries' pool, which remembers whether it has the codec."""

    __slots__ = ("_has_codec",)

    async def have_codec(self) -> None:
        """Send vectors in binary from now on. Raises what `'vector'::regtype` raises where the extension is missing."""
        if not getattr(self, "_has_codec", False):
            _, schema = await self.fetchrow(_TYPE)
            await _set_codec(self, schema)
            self._has_codec = True


async def sends_binary(session: AsyncSession) -> asyncpg.Connection | None:
    """Make the session's connection send vectors in binary; returns it if the driver is asyncpg.

    Takes the connection, and begins the transaction on it. Raises what `'vector'::regtype` raises where the
    extension is missing: the database is not migrated.
    """
    connection = await session.connection()
    driver_connection = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver_connection, asyncpg.Connection):
        return None
    info = cast(Any, connection.sync_connection).info
    # Asked each time: a codec is one type's, by its OID, and the extension may have been made again since. And asked
    # through SQLAlchemy, which sends BEGIN with the first statement that it sees.
    known, schema = (await session.execute(text(_TYPE))).one()
    if info.get(_KNOWN) != known:
        await _set_codec(driver_connection, schema)
        info[_KNOWN] = known
    return driver_connection


async def _set_codec(connection: asyncpg.Connection, schema: str) -> None:
    await connection.set_type_codec(
        "vector", schema=schema, encoder=_encode, decoder=Vector.from_binary, format="binary"
    )


def _encode(value: Vector | str) -> bytes:
    return (Vector.from_text(value) if isinstance(value, str) else value).to_binary()
