"""Which operations have an online way. An operation is known by the DDL that Alembic makes of it.

That is where all spellings meet: `op.create_index`, `batch_op.create_index` and `op.add_column(Column(index=True))` all
arrive as `CreateIndex`. What is not listed takes but an instant, or is left as it is.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from sqlalchemy.schema import AddConstraint, CreateIndex, DropIndex
from sqlalchemy.sql.base import Executable

from src.safety.online.database import Database
from src.safety.online.index import create_index, drop_index
from src.safety.online.step import OnlineChange

Maker: TypeAlias = Callable[[Any, Database], OnlineChange | None]
"""From the DDL to its online way; None where the statement as it stands takes but an instant."""

_WAYS: dict[type[Any], Maker] = {
    CreateIndex: create_index,
    DropIndex: drop_index,
}
# A new constraint is known by its kind.
_CONSTRAINTS: dict[type[Any], Maker] = {}


def online_change(construct: Executable, database: Database) -> OnlineChange | None:
    """The online way of `construct`, or None if it has none or needs none. Nothing is run but catalogue queries."""
    if isinstance(construct, AddConstraint):
        way = _CONSTRAINTS.get(type(construct.element))
    else:
        way = _WAYS.get(type(construct))
    return way(construct, database) if way else None
