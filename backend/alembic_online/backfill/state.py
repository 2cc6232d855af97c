"""How far each backfill is: a table beside Alembic's own, a row for each slice of the keys.

The position is committed together with the rows of its batch. Whoever locks a slice's row works on it; when he dies,
the server lets go of it, and the next one, on whatever machine, goes on from the position.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Delete,
    Insert,
    Integer,
    MetaData,
    Row,
    Table,
    Text,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable

from alembic_online.backfill.definition import NUMBERS, Backfill
from alembic_online.backfill.keyset import Position, slices
from alembic_online.errors import RequestRefused
from alembic_online.runtime.bookkeeping import Moment, stands, warn_of_subscribers
from alembic_online.runtime.history import BACKFILL_TABLE

_FOUND = "schema of the backfills"
# Of what it fills and reads. Another table of that name, or another column, has another number, and nothing in it.
_NUMBERED = text(
    "SELECT concat_ws(' ', to_regclass(:table)::oid, string_agg(attnum::text, ' ' ORDER BY attnum)) FROM pg_attribute"
    " WHERE attrelid = to_regclass(:table) AND attname = ANY (:columns) AND NOT attisdropped"
)
_MOST = 100  # slices: somebody may hold a great many rows


@cache
def backfill_table(schema: str | None) -> Table:
    """The table, in the schema of Alembic's own; without one for a script, which knows none."""
    return Table(
        BACKFILL_TABLE,
        MetaData(schema=schema),
        Column("name", Text, primary_key=True),
        Column("slice", Integer, primary_key=True),
        Column("definition", JSONB, nullable=False),
        Column("total", BigInteger, nullable=False),
        Column("after", JSONB(none_as_null=True)),
        Column("upto", JSONB(none_as_null=True)),
        Column("position", JSONB(none_as_null=True)),
        Column("pass", Integer, nullable=False, server_default="1"),
        Column("walked", BigInteger, nullable=False, server_default="0"),
        Column("changed", BigInteger, nullable=False, server_default="0"),
        Column("changed_in_pass", BigInteger, nullable=False, server_default="0"),
        Column("started", Moment(), nullable=False, server_default=func.clock_timestamp()),
        Column("finished", Moment()),
    )


async def find_table(connection: AsyncConnection) -> Table | None:
    """That of the database at hand, beside its version table; None if there is none yet.

    A connection that has found it does not look again: each batch asks.
    """
    if (known := connection.info.get(_FOUND)) is not None:
        return backfill_table(known)
    schema, exists = await stands(connection, BACKFILL_TABLE)
    if not exists:
        return None
    connection.info[_FOUND] = schema
    return backfill_table(schema)


@dataclass(frozen=True)
class Progress:
    """Of a whole backfill: rows; `total` is an estimate."""

    name: str
    walked: int
    changed: int
    total: int
    passes: int
    finished: bool
    changed_in_last_pass: int


async def make_table(connection: AsyncConnection) -> Table:
    """Make it if it is not there."""
    if (found := await find_table(connection)) is not None:
        return found
    schema, _ = await stands(connection, BACKFILL_TABLE)
    await warn_of_subscribers(connection, BACKFILL_TABLE, schema)
    await connection.execute(CreateTable(table := backfill_table(schema), if_not_exists=True))
    return table


async def begin(connection: AsyncConnection, definition: Backfill, bounds: list[Position], total: int) -> None:
    """Write the slices in the transaction at hand, unless somebody has begun it already.

    One of the same name that was to fill in something else is forgotten: its positions say nothing of the new values.
    So is that of a table or column that somebody has made again since.
    """
    await _lock(connection)
    table = await make_table(connection)
    if await is_begun(connection, definition):
        return
    await forget(connection, definition.name)
    written = {**definition.as_data(), NUMBERS: await _numbers(connection, definition)}
    data = {"name": definition.name, "definition": written, "total": total}
    rows = [
        {**data, "slice": number, "after": after, "upto": upto, "position": after}
        for number, (after, upto) in enumerate(slices(bounds))
    ]
    await connection.execute(insert(table), rows)


async def _lock(connection: AsyncConnection) -> None:
    """Until the transaction ends: two who begin at once would cut the keys in two ways."""
    # Not LOCK TABLE: that would wait for the batches of others.
    await connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": BACKFILL_TABLE})


async def is_begun(connection: AsyncConnection, definition: Backfill) -> bool:
    """Whether this very one stands there, of the table and the columns that are there now."""
    if (table := await find_table(connection)) is None:
        return False
    query = select(table.c.definition).where(table.c.name == definition.name).limit(1)
    stands = dict((await connection.execute(query)).scalar_one_or_none() or {})
    numbers = stands.pop(NUMBERS, None)  # an earlier version of this has written none
    same = stands == definition.as_data()
    return same and (numbers is None or numbers == await _numbers(connection, definition))


async def _numbers(connection: AsyncConnection, definition: Backfill) -> str:
    given = {"table": definition.table, "columns": definition.named_columns()}
    return str((await connection.execute(_NUMBERED, given)).scalar_one())


async def claim(connection: AsyncConnection, name: str, preferred: int) -> Row[Any] | None:
    """Lock a slice that nobody works on, until the transaction ends; None if there is none at the moment.

    The preferred one, or the next after it. A second pass begins when all slices have had their first: a row may move
    from one to another meanwhile.
    """
    table = await make_table(connection)
    columns = table.c
    left = (columns.name == name, columns.finished.is_(None))
    earliest = select(func.min(columns["pass"])).where(*left).scalar_subquery()
    query = select(table).where(*left, columns["pass"] == earliest)
    order = (columns.slice < preferred, columns.slice)
    return (await connection.execute(query.order_by(*order).limit(1).with_for_update(skip_locked=True))).one_or_none()


async def part(connection: AsyncConnection, claimed: Row[Any], at: Position) -> bool:
    """Leave the rows up to `at` to themselves: what comes after becomes a slice of its own, unless there are too many.

    Nothing is done to one that ends there.
    """
    await _lock(connection)
    table = await make_table(connection)
    slices_there = await connection.scalar(select(func.max(table.c.slice)).where(table.c.name == claimed.name))
    if claimed.upto == at or slices_there is None or slices_there >= _MOST:
        return False
    same = {column: claimed._mapping[column] for column in ("name", "definition", "total", "pass", "upto")}
    await connection.execute(insert(table).values(**same, slice=slices_there + 1, after=at, position=at))
    await _update(connection, claimed, upto=at)
    return True


async def advance(
    connection: AsyncConnection, claimed: Row[Any], position: Position, walked: int, changed: int
) -> None:
    """The batch has come to `position`."""
    columns = (await make_table(connection)).c
    first = claimed._mapping["pass"] == 1
    values = {
        "position": position,
        "walked": columns.walked + (walked if first else 0),
        "changed": columns.changed + changed,
        "changed_in_pass": columns.changed_in_pass + changed,
    }
    await _update(connection, claimed, **values)


async def end_pass(connection: AsyncConnection, claimed: Row[Any], *, again: bool) -> None:
    """The slice has been walked to its end."""
    if again:
        columns = (await make_table(connection)).c
        await _update(
            connection,
            claimed,
            **{"pass": columns["pass"] + 1, "position": columns.after, "changed_in_pass": 0},
        )
    else:
        await _update(connection, claimed, finished=func.clock_timestamp())


async def _update(connection: AsyncConnection, claimed: Row[Any], **values: Any) -> None:
    table = await make_table(connection)
    here = (table.c.name == claimed.name, table.c.slice == claimed.slice)
    await connection.execute(update(table).where(*here).values(**values))


def done(definition: Backfill, schema: str | None) -> tuple[CreateTable, Delete, Insert]:
    """The statements that say that it is at its end, where something else than `run` has carried it out."""
    table = backfill_table(schema)
    data = cast(literal(json.dumps(definition.as_data()), Text), JSONB)  # SQLAlchemy writes no JSONB into a script
    row = {"name": definition.name, "slice": 0, "definition": data, "total": 0}
    at_its_end = insert(table).values(**row, finished=func.clock_timestamp())
    return CreateTable(table, if_not_exists=True), delete(table).where(table.c.name == definition.name), at_its_end


async def forget(connection: AsyncConnection, name: str) -> None:
    """The next run begins again."""
    table = await make_table(connection)
    await connection.execute(delete(table).where(table.c.name == name))


async def read_progress(connection: AsyncConnection, name: str | None = None) -> list[Progress]:
    """Of one backfill, or of all."""
    if (table := await find_table(connection)) is None:
        return []
    columns = table.c
    query = select(
        columns.name,
        func.sum(columns.walked).cast(BigInteger),
        func.sum(columns.changed).cast(BigInteger),
        func.max(columns.total),
        # A slice that waits for the second pass of all is in the first one still.
        func.coalesce(func.min(columns["pass"]).filter(columns.finished.is_(None)), func.max(columns["pass"])),
        func.bool_and(columns.finished.is_not(None)),
        func.sum(columns.changed_in_pass).cast(BigInteger),
    ).group_by(columns.name)
    query = query.order_by(columns.name) if name is None else query.where(columns.name == name)
    return [Progress(*row) for row in await connection.execute(query)]


async def first_left(connection: AsyncConnection, name: str) -> Row[Any] | None:
    """The slice with which it goes on; None where it is done, or was not begun."""
    if (table := await find_table(connection)) is None:
        return None
    columns = table.c
    query = select(table).where(columns.name == name, columns.finished.is_(None))
    return (await connection.execute(query.order_by(columns["pass"], columns.slice).limit(1))).one_or_none()


async def read_definition(connection: AsyncConnection, name: str) -> Backfill:
    """What was begun under `name`. Raises `RequestRefused` if nothing was."""
    known: Iterable[str] = [each.name for each in await read_progress(connection)]
    if name not in known:
        raise RequestRefused(
            f"No backfill is called {name!r} in this database.",
            f"Begun are: {', '.join(known) or 'none'}. `alembic upgrade head` begins those of the revisions.",
        )
    columns = (await make_table(connection)).c
    query = select(columns.definition).where(columns.name == name).limit(1)
    return Backfill.from_data(name, (await connection.execute(query)).scalar_one())
