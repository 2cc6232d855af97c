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

from src.postgres.lock_modes.reader import Reader, statements
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

_BY_HAND = ("CREATE INDEX", "CREATE UNIQUE INDEX", "ALTER TABLE", "ALTER TYPE")
"""How the forms of `by_hand` begin that may take long."""
_WORK = ("TYPE", "NOT", "CHECK", "UNIQUE", "PRIMARY", "FOREIGN", "STORED", "EXPRESSION", "ENFORCED")
"""A word of each of those that alter a table."""


def online_change(construct: Executable, database: Database) -> OnlineChange | None:
    """The online way of `construct`, or None if it has none or needs none. Nothing is run but catalogue queries."""
    name = _name(construct)
    if name is None:
        return None
    way: Maker = resolve_name(f"src.safety.online.{name}")
    return way(construct, database)


def may_be_online(construct: Executable) -> bool:
    """Whether it may have one: nothing is asked."""
    if isinstance(construct, TextClause):
        return any(_is_work(reader) for reader in statements(construct.text))
    if isinstance(construct, AddColumn):
        column = construct.column
        return column.primary_key or column.server_default is not None or column.default is not None
    if isinstance(construct, ColumnNullable) and construct.nullable:
        return False
    return _name(construct) is not None


def _is_work(reader: Reader) -> bool:
    form = reader.accept_any(*_BY_HAND)
    return form is not None and (form != "ALTER TABLE" or any(map(reader.has, _WORK)))


def _name(construct: Executable) -> str | None:
    if isinstance(construct, AddConstraint):
        return _CONSTRAINTS.get(type(construct.element))
    return _WAYS.get(type(construct))
