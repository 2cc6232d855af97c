"""Before anything is changed: how many rows, how they are cut into slices, and how long it may take."""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from src.postgres.object_names import without_schema
from src.safety.backfill.batch import change, next_range
from src.safety.backfill.definition import verbatim
from src.safety.backfill.key import Position
from src.safety.backfill.place import PLACE
from src.safety.backfill.work import DISTINCT, Work, record
from src.safety.errors import RequestRefused

_MOST_SLICES, _ROWS_OF_SLICE = 16, 50_000
_SAMPLE = 20_000
_TRIAL = 1000


@dataclass(frozen=True)
class Estimate:
    """Of a whole backfill, from a trial batch that was rolled back."""

    rows: int
    """In the table, as the planner sees it."""
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
        sample = f"(SELECT * FROM {work.table} LIMIT 100) AS {without_schema(work.table)}"
        query = f"SELECT 1 FROM {sample} WHERE {value} {DISTINCT} {value} LIMIT 1"
        if await connection.scalar(text(query)) is not None:
            raise RequestRefused(
                f"The values for {work.definition.table}.{column} are new each time they are asked for: {sql}.",
                f"Say which rows need one: where='{column} IS NULL'",
            )


async def estimate(connection: AsyncConnection, work: Work) -> Estimate:
    """Try one batch and roll it back, on an AUTOCOMMIT connection. A Python function is called for its rows."""
    rows = await count_rows(connection, work.table)
    begun = time.monotonic()
    await connection.exec_driver_sql("BEGIN ISOLATION LEVEL READ COMMITTED")
    try:
        found = await next_range(connection, work, None, None, _TRIAL)
        changed = await change(connection, work, None, found[0]) if found else 0
    finally:
        await connection.exec_driver_sql("ROLLBACK")
    if not found:
        return Estimate(0, 0.0, 0.0)
    return Estimate(rows, changed / found[1], (time.monotonic() - begun) * max(rows / found[1], 1.0))
