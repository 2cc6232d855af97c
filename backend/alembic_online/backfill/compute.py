"""New values by a Python function over the rows of a batch."""

import asyncio
import inspect
import json
import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.backfill.batch_sql import Work
from alembic_online.backfill.definition import Function, Rows, verbatim
from alembic_online.errors import RequestRefused

_PLACE = "key of the row, in words"  # of an interval, a range or an infinite day Python has no equal
_VERSION = "xmin of the row"  # who wrote it last: another one once somebody has changed the row


async def compute(
    connection: AsyncConnection, work: Work, function: Function, condition: str, parameters: Mapping[str, str]
) -> int:
    """Ask `function` for new values of the rows under `condition`, and write them; returns how many were written.

    No row is locked while it computes. A row that has changed since it was read is left to the next pass. Raises
    `RequestRefused` if it does not answer for every row.
    """
    columns = ", ".join([work.key.listed, *map(work.name, work.definition.reads)])
    place = f'ARRAY[{", ".join(work.key.texts)}] AS "{_PLACE}", CAST(xmin AS text) AS "{_VERSION}"'
    query = f"SELECT {columns}, {place} FROM {work.table} WHERE {condition}"
    rows = (await connection.execute(text(query), parameters)).mappings().all()
    own = (_PLACE, _VERSION)
    answers = await _call(function, [{name: row[name] for name in row if name not in own} for row in rows])
    if len(answers) != len(rows):
        raise RequestRefused(
            f"The function of the backfill {work.definition.name} returned {len(answers)} rows for {len(rows)}.",
            "Return one mapping for each row, in the same order; an empty one leaves the row as it is.",
        )
    answered = [(row, new) for row, new in zip(rows, answers, strict=True) if new]
    return await _write(connection, work, answered) if answered else 0


async def _call(function: Function, rows: Rows) -> Rows:
    if not rows:
        return []
    if inspect.iscoroutinefunction(function):
        return await function(rows)  # type: ignore[no-any-return]
    return await asyncio.to_thread(function, rows)  # type: ignore[arg-type]  # the answer of one that is not async


async def _write(connection: AsyncConnection, work: Work, answers: list[tuple[RowMapping, Mapping[str, Any]]]) -> int:
    """One statement; PostgreSQL reads each value out of JSON as its column's type."""
    columns = _columns(work, answers)
    types = [*work.key.types, *(work.types[column] for column in columns)]
    fields = ", ".join(f"f{number} {kind}" for number, kind in enumerate(types))
    same = " AND ".join(f"t.{name} = v.f{number}" for number, name in enumerate(work.key.columns))
    new = ", ".join(f"{work.quoted[name]} = v.f{number}" for number, name in enumerate(columns, len(work.key.columns)))
    statement = (
        f"UPDATE {work.table} AS t SET {verbatim(new)}"
        f" FROM json_to_recordset(CAST(:rows AS json)) AS v ({verbatim(fields)}, version text)"
        f" WHERE {verbatim(same)} AND CAST(t.xmin AS text) = v.version"
    )
    rows = [[*row[_PLACE], *(_finite(answer[column]) for column in columns), row[_VERSION]] for row, answer in answers]
    names = [*(f"f{number}" for number in range(len(types))), "version"]
    data = json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=_as_json)
    return (await connection.execute(text(statement), {"rows": data})).rowcount


def _columns(work: Work, answers: list[tuple[RowMapping, Mapping[str, Any]]]) -> list[str]:
    columns = list(answers[0][1])
    if any(set(answer) != set(columns) for _, answer in answers) or not set(columns) <= set(work.types):
        raise RequestRefused(
            f"The function of the backfill {work.definition.name} returned different columns for different rows, or"
            f" columns that {work.definition.table} does not have.",
            "Return the same columns of the table in every mapping.",
        )
    return columns


def _as_json(value: object) -> str:
    return "\\x" + value.hex() if isinstance(value, bytes | bytearray | memoryview) else str(value)


def _finite(value: Any) -> Any:
    """JSON has no number that is infinite or none; PostgreSQL reads `nan` and `inf` out of a text."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
