"""Writing a course that was read from files: each row only if it is new or differs, so that twice is as once."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from src.db.queries.visibility import publication

# Of a row that ON CONFLICT has updated, xmax is this transaction; a new row has none.
_IS_NEW: ColumnElement[bool] = literal_column("xmax = 0")


class Outcome(StrEnum):
    """What became of a row."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


async def put_row(
    session: AsyncSession, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]
) -> tuple[UUID, Outcome]:
    """Make the row of the unique `key` have `values`; one that has them already is not written.

    `values` has `is_published`; `published_at` follows from it.
    """
    published_at = func.now() if values["is_published"] else None
    row = insert(table).values(**key, **values, published_at=published_at)
    differs = or_(*(table.c[name].is_distinct_from(row.excluded[name]) for name in values))
    changes: dict[str, Any] = {name: row.excluded[name] for name in values}
    changes["published_at"] = publication(table, values["is_published"])
    upsert = row.on_conflict_do_update(index_elements=list(key), set_=changes, where=differs)
    written = (await session.execute(upsert.returning(table.c.id, _IS_NEW.label("is_new")))).one_or_none()
    if written is not None:
        return written.id, Outcome.CREATED if written.is_new else Outcome.CHANGED
    same = and_(*(table.c[name] == value for name, value in key.items()))
    return (await session.execute(select(table.c.id).where(same))).scalar_one(), Outcome.UNCHANGED
