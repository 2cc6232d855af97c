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

from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.recipes.database import Database
from alembic_online.recipes.step import OnlineChange

Maker: TypeAlias = Callable[[Any, Database], OnlineChange | None]
"""From the DDL to its online way; None where the statement as it stands takes but an instant."""

_BY_HAND = ("CREATE INDEX", "CREATE UNIQUE INDEX", "ALTER TABLE", "ALTER TYPE")
"""How the forms of `raw_sql` begin that may take long."""
_WORK = ("TYPE", "NOT", "CHECK", "UNIQUE", "PRIMARY", "FOREIGN", "STORED", "EXPRESSION", "ENFORCED")
"""A word of each of those that alter a table."""


def online_change(construct: Executable, database: Database) -> OnlineChange | None:
    """The online way of `construct`, or None if it has none or needs none. Nothing is run but catalogue queries."""
    way = _way(construct)
    return way(construct, database) if way is not None else None


def may_be_online(construct: Executable) -> bool:
    """Whether it may have one: nothing is asked."""
    if isinstance(construct, TextClause):
        return any(_is_work(reader) for reader in statements(construct.text))
    if isinstance(construct, AddColumn):
        column = construct.column
        return column.primary_key or column.server_default is not None or column.default is not None
    if isinstance(construct, ColumnNullable) and construct.nullable:
        return False
    return _way(construct) is not None


def _is_work(reader: Reader) -> bool:
    form = reader.accept_any(*_BY_HAND)
    return form is not None and (form != "ALTER TABLE" or any(map(reader.has, _WORK)))


def _way(construct: Executable) -> Maker | None:
    # Imported here: only a revision that has such an operation pays for it.
    match construct:
        case CreateIndex():
            from alembic_online.recipes.create_index import create_index  # noqa: PLC0415

            return create_index
        case DropIndex():
            from alembic_online.recipes.create_index import drop_index  # noqa: PLC0415

            return drop_index
        case AddColumn():
            from alembic_online.recipes.add_column import add_column  # noqa: PLC0415

            return add_column
        case ColumnNullable():
            from alembic_online.recipes.set_not_null import alter_nullable  # noqa: PLC0415

            return alter_nullable
        case PostgresqlColumnType():
            from alembic_online.recipes.alter_column_type import alter_type  # noqa: PLC0415

            return alter_type
        case TextClause():
            from alembic_online.recipes.raw_sql import written_by_hand  # noqa: PLC0415

            return written_by_hand
        case AddConstraint():
            return _constraint_way(construct.element)
    return None


def _constraint_way(constraint: object) -> Maker | None:
    """A new constraint is known by its kind."""
    match constraint:
        case CheckConstraint():
            from alembic_online.recipes.create_check_constraint import add_check  # noqa: PLC0415

            return add_check
        case ForeignKeyConstraint():
            from alembic_online.recipes.create_foreign_key import add_foreign_key  # noqa: PLC0415

            return add_foreign_key
        case UniqueConstraint() | PrimaryKeyConstraint():
            from alembic_online.recipes.create_unique_constraint import add_unique  # noqa: PLC0415

            return add_unique
        case ExcludeConstraint():
            from alembic_online.recipes.create_exclude_constraint import add_exclude  # noqa: PLC0415

            return add_exclude
    return None
