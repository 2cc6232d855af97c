"""The order in which a table is walked: by its primary key, or another unique key without NULL.

By key and not by place (ctid): a row that is updated meanwhile moves to another place, and would be missed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.backfill.definition import verbatim
from alembic_online.errors import RequestRefused

Position = list[str]
"""A key's values as PostgreSQL prints them, in the order of its columns."""

KEY_SQL = """
    SELECT array_agg(quote_ident(a.attname) ORDER BY k.place) AS columns,
           array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY k.place) AS types,
           i.indexrelid
    FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place), pg_attribute a
    WHERE i.indrelid = {table} AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
      AND k.place <= i.indnkeyatts AND a.attrelid = i.indrelid AND a.attnum = k.attnum
    GROUP BY i.indexrelid, i.indisprimary, i.indnkeyatts HAVING bool_and(a.attnotnull AND NOT EXISTS (
        SELECT FROM pg_constraint c WHERE c.conrelid = a.attrelid AND c.contype = 'n' AND NOT c.convalidated
          AND c.conkey = ARRAY[a.attnum]))
    ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1
"""
_DAY = re.compile(r"date|timestamp[^\[]*")
KEY_OF_TABLE = KEY_SQL.format(table="to_regclass(:table)")
_KEY = text(KEY_OF_TABLE)
_TYPES = text(
    "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute"
    " WHERE attrelid = to_regclass(:table) AND attnum > 0 AND NOT attisdropped"
)


@dataclass(frozen=True)
class Key:
    """The columns of a unique key, quoted, and their types."""

    columns: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def listed(self) -> str:
        """`a, b`."""
        return verbatim(", ".join(self.columns))

    @property
    def as_text(self) -> str:
        """For a position; named, because ORDER BY would take a bare `a` for this text of it."""
        return ", ".join(f"{one} AS p{number}" for number, one in enumerate(self.texts))

    @property
    def texts(self) -> list[str]:
        """Each value in words that mean the same in every session: a day's, unless by JSON, depend on DateStyle."""
        columns = zip(map(verbatim, self.columns), self.types, strict=True)
        return [
            f"(to_json({column}) #>> '{{}}')" if _DAY.fullmatch(kind) else f"CAST({column} AS text)"
            for column, kind in columns
        ]

    def named(self, position: Position) -> str:
        """`a = 1, b = x`, for people."""
        return ", ".join(f"{column} = {value}" for column, value in zip(self.columns, position, strict=True))

    @property
    def descending(self) -> str:
        """`a DESC, b DESC`."""
        return ", ".join(f"{verbatim(column)} DESC" for column in self.columns)

    def between(self, after: Position | None, upto: Position | None) -> tuple[str, dict[str, str]]:
        """The condition for the keys after the one and up to the other, and its parameters."""
        parts = ["true"]
        parameters: dict[str, str] = {}
        for name, sign, position in (("after", ">", after), ("upto", "<=", upto)):
            if position is not None:
                parts.append(f"ROW({self.listed}) {sign} ROW({self._parameters(name)})")
                parameters |= {f"{name}_{number}": value for number, value in enumerate(position)}
        return " AND ".join(parts), parameters

    def _parameters(self, name: str) -> str:
        return ", ".join(
            f"CAST(CAST(:{name}_{number} AS text) AS {verbatim(kind)})" for number, kind in enumerate(self.types)
        )


async def read_key(connection: AsyncConnection, table: str) -> Key | None:
    """The key to walk `table` by, if it has one."""
    row = (await connection.execute(_KEY, {"table": table})).one_or_none()
    return Key(tuple(row.columns), tuple(row.types)) if row else None


async def read_types(connection: AsyncConnection, table: str) -> Mapping[str, str]:
    """Column to type. Raises `RequestRefused` where the table is not there."""
    found = dict(map(tuple, await connection.execute(_TYPES, {"table": table})))
    if not found:
        raise RequestRefused(f"There is no table {table} to backfill.", "Look at its name, and at the search_path.")
    return found


def slices(bounds: list[Position]) -> Iterator[tuple[Position | None, Position | None]]:
    """The ranges that `bounds` cut the keys into: after the one, up to the other."""
    yield from pairwise([None, *bounds, None])
