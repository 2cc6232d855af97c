"""Which operations have an online way. An operation is known by the DDL that Alembic makes of it.

That is where all spellings meet: `op.create_index`, `batch_op.create_index` and `op.add_column(Column(index=True))` all
arrive as `CreateIndex`. What is not listed takes but an instant, or is left as it is.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from alembic.ddl.base import AddColumn, ColumnNullable
from alembic.ddl.postgresql import PostgresqlColumnType
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint, TextClause, UniqueConstraint
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.schema import AddConstraint, CreateIndex, DropIndex
from sqlalchemy.sql.base import Executable

from src.safety.online.add_column import add_column
from src.safety.online.by_hand import written_by_hand
from src.safety.online.check_constraint import add_check
from src.safety.online.column_type import alter_type
from src.safety.online.database import Database
from src.safety.online.exclude import add_exclude
from src.safety.online.foreign_key import add_foreign_key
from src.safety.online.index import create_index, drop_index
from src.safety.online.not_null import alter_nullable
from src.safety.online.step import OnlineChange
from src.safety.online.unique import add_unique

Maker: TypeAlias = Callable[[Any, Database], OnlineChange | None]
"""From the DDL to its online way; None where the statement as it stands takes but an instant."""

_WAYS: dict[type[Any], Maker] = {
    CreateIndex: create_index,
    DropIndex: drop_index,
    AddColumn: add_column,
    ColumnNullable: alter_nullable,
    PostgresqlColumnType: alter_type,
    TextClause: written_by_hand,
}
# A new constraint is known by its kind.
_CONSTRAINTS: dict[type[Any], Maker] = {
    CheckConstraint: add_check,
    ForeignKeyConstraint: add_foreign_key,
    UniqueConstraint: add_unique,
    PrimaryKeyConstraint: add_unique,
    ExcludeConstraint: add_exclude,
}


def online_change(construct: Executable, database: Database) -> OnlineChange | None:
    """The online way of `construct`, or None if it has none or needs none. Nothing is run but catalogue queries."""
    if isinstance(construct, AddConstraint):
        way = _CONSTRAINTS.get(type(construct.element))
    else:
        way = _WAYS.get(type(construct))
    return way(construct, database) if way else None
