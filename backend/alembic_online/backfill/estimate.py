"""Before anything is changed: how many rows, how they are cut into slices, and how long it may take."""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.backfill.batch import change, next_range
from alembic_online.backfill.batch_sql import DISTINCT, Work, record
from alembic_online.backfill.ctid_scan import PLACE
from alembic_online.backfill.definition import verbatim
from alembic_online.backfill.keyset import Position
from alembic_online.backfill.state import first_left, read_progress
from alembic_online.errors import RequestRefused
from alembic_online.postgres.sql.identifiers import without_schema
from alembic_online.postgres.sqlstate import DATA_EXCEPTION, LOCK_NOT_AVAILABLE, QUERY_CANCELED, sqlstate

_MOST_SLICES, _ROWS_OF_SLICE = 16, 50_000
_SAMPLE = 20_000
_TRIALS = (1000, 100, 10, 1)  # rows: whoever wants one of them waits until it is rolled back
_LIMITS = text("SELECT set_config('lock_timeout', '100', true), set_config('statement_timeout', :limit, true)")


@dataclass(frozen=True)
class Estimate:
    """Of a whole backfill, from a trial batch that was rolled back."""

    rows: int
    """That are left, as the planner sees it."""
    needed: float
    """The share of rows that would be changed, of those sampled."""
    seconds: float
    """Without pauses."""


async def count_rows(connection: AsyncConnection, table: str) -> int:
    """The planner's estimate, which knows the table's present size also where it was never analysed."""
    plan: Any = await connection.scalar(text(f"EXPLAIN (FORMAT JSON) SELECT FROM {table}"))
    return int(plan[0]["Plan"]["Plan Rows"])


async def cut(connection: AsyncConnection, work: Work) -> tuple[list[Position], int]:
    """Keys that cut the table into slices of about the same size, by a sample; and the estimate of rows."""
    rows = await count_rows(connection, work.table)
    number = min(_MOST_SLICES, rows // _ROWS_OF_SLICE)
    if number < 2 or work.key is PLACE:
        return [], rows
    share = min(100.0, 100.0 * _SAMPLE / rows)
    listed = work.key.listed
    query = (
        f"SELECT {work.key.as_text} FROM (SELECT {listed}, row_number() OVER (ORDER BY {listed}) AS place,"
        f" count(*) OVER () / {number} AS step FROM {work.table} TABLESAMPLE SYSTEM ({share:.4f})) AS sample"
        f" WHERE step > 0 AND place % step = 0 AND place / step < {number} ORDER BY {listed}"
    )
    return [list(row) for row in await connection.execute(text(query))], rows


async def refuse_volatile(connection: AsyncConnection, work: Work) -> None:
    """Raise `RequestRefused` for values that are new each time they are asked for, where every row would get them."""
    if work.function is not None or work.definition.where is not None or work.definition.into:
        return
    for column, sql in work.definition.values.items():
        value = record(f"CAST(({verbatim(sql)}) AS {verbatim(work.types[column])})")
        if await _differs(connection, work, value):
            raise RequestRefused(
                f"The values for {work.definition.table}.{column} are new each time they are asked for: {sql}.",
                f"Say which rows need one: where='{column} IS NULL'",
            )


async def _differs(connection: AsyncConnection, work: Work, value: str) -> bool:
    """Whether `value` is another one when it is asked for twice, in some row of a few."""
    sample = f"(SELECT * FROM {work.table} LIMIT 100) AS {without_schema(work.table)}"
    query = text(f"SELECT 1 FROM {sample} WHERE {value} {DISTINCT} {value} LIMIT 1")
    try:
        return await connection.scalar(query) is not None
    except DBAPIError as error:
        if (sqlstate(error) or "")[:2] != DATA_EXCEPTION:
            raise
        return False  # a row has no value: its batch will say which


async def estimate(connection: AsyncConnection, work: Work) -> Estimate:
    """Try the next batch and roll it back, on an AUTOCOMMIT connection. A Python function is called for its rows."""
    rows = await count_rows(connection, work.table)
    left = await first_left(connection, work.definition.name)
    if left is not None and left._mapping["pass"] == 1:
        (progress,) = await read_progress(connection, work.definition.name)
        rows = max(rows - progress.walked, 0)
    after, upto = (left.position, left.upto) if left is not None else (None, None)
    for size in _TRIALS:
        if (tried := await _try(connection, work, after, upto, size)) is not None:
            walked, changed, seconds = tried
            return Estimate(rows, changed / walked, seconds * max(rows / walked, 1.0))
    return Estimate(0, 0.0, 0.0)


async def _try(
    connection: AsyncConnection, work: Work, after: Position | None, upto: Position | None, size: int
) -> tuple[int, int, float] | None:
    """Rows walked and changed, and seconds; None where there are none, or it took too long for so many."""
    begun = time.monotonic()
    await connection.exec_driver_sql("BEGIN ISOLATION LEVEL READ COMMITTED")
    try:
        await connection.execute(_LIMITS, {"limit": "0" if size == 1 or work.function else "100"})
        found = await next_range(connection, work, after, upto, size)
        changed = await change(connection, work, after, found[0]) if found else 0
    except DBAPIError as error:
        if size == 1 or sqlstate(error) not in (QUERY_CANCELED, LOCK_NOT_AVAILABLE):
            raise
        return None
    finally:
        await connection.exec_driver_sql("ROLLBACK")
    return (found[1], changed, time.monotonic() - begun) if found else None
