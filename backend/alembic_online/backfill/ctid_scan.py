"""Walking a table without a key by the place of its rows, page after page.

Only for a backfill whose trigger keeps new and changed rows right: a row that is changed meanwhile moves to another
place, which may be behind.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.backfill.keyset import Key, Position

PLACE = Key(("ctid",), ("tid",))
_SIZE = text(
    "SELECT pg_relation_size(c.oid) / current_setting('block_size')::int AS pages,"
    " greatest(c.reltuples, 1) / greatest(c.relpages, 1) AS rows_of_page"
    " FROM pg_class c WHERE c.oid = to_regclass(:table)"
)


async def next_pages(
    connection: AsyncConnection, table: str, after: Position | None, size: int
) -> tuple[Position, int] | None:
    """Up to where the next pages with about `size` rows go, and how many rows there are; None at the end."""
    facts = (await connection.execute(_SIZE, {"table": table})).one()
    first = int(after[0].strip("()").partition(",")[0]) if after else 0
    if first >= facts.pages:
        return None
    last = min(first + max(1, int(size / max(facts.rows_of_page, 1))), facts.pages)
    position = [f"({last},0)"]
    condition, parameters = PLACE.between(after, position)
    count = await connection.scalar(text(f"SELECT count(*) FROM {table} WHERE {condition}"), parameters)
    return position, int(count or 0)
