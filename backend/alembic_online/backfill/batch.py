"""One batch: the rows between two keys, changed in the transaction at hand, and only where that changes anything."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.backfill.batch_sql import Work
from alembic_online.backfill.compute import compute
from alembic_online.backfill.ctid_scan import PLACE, next_pages
from alembic_online.backfill.definition import Backfill
from alembic_online.backfill.keyset import Position, read_key, read_types
from alembic_online.errors import RequestRefused
from alembic_online.postgres.sql.identifiers import quoted

_ANNOUNCE = text(
    "SELECT set_config('safety.backfill', concat_ws(' ', to_regclass(:table)::oid, CAST(:columns AS text)), true)"
)

_UNLESS_THERE = " ON CONFLICT DO NOTHING"


async def prepare(connection: AsyncConnection, definition: Backfill) -> Work:
    """Look the table up. Raises `RequestRefused` where it, its key or a column is not fit."""
    types = await read_types(connection, definition.table)
    key = await read_key(connection, definition.table) or (PLACE if definition.in_step else None)
    if key is None:
        raise RequestRefused(
            f"The table {definition.table} has no primary key, and no other unique key without NULL, to walk it by.",
            "Give it one, or change its rows with one UPDATE if it is small.",
        )
    work = Work(definition, key, types, {column: quoted(column) for column in types})
    for column in (*definition.values, *definition.reads):
        if column not in types:
            raise RequestRefused(
                f"The table {definition.table} has no column {column!r}.", "Add it first, in an earlier operation."
            )
    if not definition.into and set(map(quoted, definition.values)) & set(key.columns):
        raise RequestRefused(
            f"The backfill {definition.name} changes the key that it walks by ({key.listed}).",
            "Fill a new column, and swap the two: a changed type of the key does so by itself.",
        )
    return work


async def next_range(
    connection: AsyncConnection, work: Work, after: Position | None, upto: Position | None, size: int
) -> tuple[Position, int] | None:
    """The last of the next `size` keys and how many there are; None at the end."""
    if work.key is PLACE:
        return await next_pages(connection, work.table, after, size)
    key, (condition, parameters) = work.key, work.key.between(after, upto)
    rows = f"FROM {work.table} WHERE {condition} ORDER BY"
    last = text(f"SELECT {key.as_text} {rows} {key.listed} OFFSET {size - 1} LIMIT 1")
    if (row := (await connection.execute(last, parameters)).one_or_none()) is not None:
        return list(row), size
    # Fewer are left; only these have to be counted.
    rest = text(f"SELECT {key.as_text}, count(*) OVER () {rows} {key.descending} LIMIT 1")
    row = (await connection.execute(rest, parameters)).one_or_none()
    return (list(row[:-1]), row[-1]) if row else None


async def change(connection: AsyncConnection, work: Work, after: Position | None, upto: Position) -> int:
    """Change the rows of the range that need it; returns how many."""
    if work.definition.unnoticed:
        given = {"table": work.definition.table, "columns": " ".join(work.definition.values)}
        await connection.execute(_ANNOUNCE, given)
    condition, parameters = work.key.between(after, upto)
    if work.function is not None:
        return await compute(connection, work, work.function, f"{condition} AND {work.needed}", parameters)
    if work.definition.into:
        return (await connection.execute(text(f"{work.copying} WHERE {condition}{_UNLESS_THERE}"), parameters)).rowcount
    statement = f"UPDATE {work.table} SET {work.assignments} WHERE {condition} AND {work.needed} AND {work.differs}"
    return (await connection.execute(text(statement), parameters)).rowcount
