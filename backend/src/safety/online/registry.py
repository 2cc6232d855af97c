"""Which operations have an online way. An operation is known by the DDL that Alembic makes of it.

That is where all spellings meet: `op.create_index`, `batch_op.create_index` and `op.add_column(Column(index=True))` all
arrive as `CreateIndex`. What is not listed takes but an instant, or is left as it is.
"""

from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any, TypeAlias

from alembic.ddl.base import AddColumn, ColumnNullable
from alembic.ddl.postgresql import PostgresqlColumnType
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint, TextClause, UniqueConstraint
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.schema import AddConstraint, CreateIndex, DropIndex
from sqlalchemy.sql.base import Executable

from src.safety.online.database import Database
from src.safety.online.step import OnlineChange

Maker: TypeAlias = Callable[[Any, Database], OnlineChange | None]
"""From the DDL to its online way; None where the statement as it stands takes but an instant."""

# By module and function: only a revision that has such an operation pays for the import.
_WAYS = {
    CreateIndex: "index:create_index",
    DropIndex: "index:drop_index",
    AddColumn: "add_column:add_column",
    ColumnNullable: "not_null:alter_nullable",
    PostgresqlColumnType: "column_type:alter_type",
    TextClause: "by_hand:written_by_hand",
}
# A new constraint is known by its kind.
_CONSTRAINTS = {
    CheckConstraint: "check_constraint:add_check",
    ForeignKeyConstraint: "foreign_key:add_foreign_key",
    UniqueConstraint: "unique:add_unique",
    PrimaryKeyConstraint: "unique:add_unique",
    ExcludeConstraint: "exclude:add_exclude",
}


def online_change(construct: Executable, database: Database) -> OnlineChange | None:
    """The online way of `construct`, or None if it has none or needs none. Nothing is run but catalogue queries."""
    if isinstance(construct, AddConstraint):
        name = _CONSTRAINTS.get(type(construct.element))
    else:
        name = _WAYS.get(type(construct))
    if name is None:
        return None
    way: Maker = resolve_name(f"src.safety.online.{name}")
    return way(construct, database)
