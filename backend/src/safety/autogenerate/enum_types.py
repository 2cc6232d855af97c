"""Enum types: a table or column that needs a new one gets it made before, and its downgrade drops it after.

Alembic lets SQLAlchemy make the type together with a table, which fails where two tables share it, never happens for a
column, and leaves the type behind on the way down. Here the columns say `create_type=False`, and the types get lines of
their own. Changes of the labels are not compared yet.
"""

from collections.abc import Iterator

from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, MigrationScript
from alembic.operations.ops import AddColumnOp, CreateTableOp, DowngradeOps, ExecuteSQLOp, ModifyTableOps, UpgradeOps
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, Enum, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import ARRAY, TypeEngine

_THERE = text("SELECT to_regtype(:name) IS NOT NULL")


def render_enum(item: TypeEngine[object], autogen_context: AutogenContext) -> str | None:
    """A native enum type as a column's type that makes nothing itself; None for any other type."""
    if not isinstance(item, Enum) or not item.native_enum:
        return None
    autogen_context.imports.add("from sqlalchemy.dialects import postgresql")
    labels = ", ".join(repr(label) for label in item.enums)
    schema = f", schema={item.schema!r}" if item.schema else ""
    return f"postgresql.ENUM({labels}, name={item.name!r}{schema}, create_type=False)"


def make_enum_types(migration_context: MigrationContext, script: MigrationScript) -> None:
    """Add the types that the new columns need and the database has not."""
    assert isinstance(script.upgrade_ops, UpgradeOps)
    assert isinstance(script.downgrade_ops, DowngradeOps)
    connection = migration_context.connection
    assert connection is not None, "autogenerate has compared with it"
    needed = {type_name(kind, migration_context): kind for kind in _new_types(script.upgrade_ops.ops)}
    made = [kind for name, kind in needed.items() if not _is_there(connection, name)]
    dialect = migration_context.dialect
    creates = [str(postgresql.CreateEnumType(_native(kind)).compile(dialect=dialect)) for kind in made]
    drops = [str(postgresql.DropEnumType(_native(kind)).compile(dialect=dialect)) for kind in made]
    script.upgrade_ops.ops[:0] = [ExecuteSQLOp(statement) for statement in creates]
    script.downgrade_ops.ops.extend(ExecuteSQLOp(statement) for statement in reversed(drops))


def type_name(kind: Enum, migration_context: MigrationContext) -> str:
    """The type's name as SQL writes it."""
    quote = migration_context.dialect.identifier_preparer.quote
    return ".".join(quote(name) for name in (kind.schema, kind.name) if name)


def _is_there(connection: Connection, name: str) -> bool:
    return bool(connection.scalar(_THERE, {"name": name}))


def _native(kind: Enum) -> postgresql.ENUM:
    return postgresql.ENUM(*kind.enums, name=str(kind.name), schema=kind.schema)


def _new_types(operations: list[MigrateOperation]) -> Iterator[Enum]:
    """The native enum types of all columns that the operations add."""
    for operation in operations:
        if isinstance(operation, ModifyTableOps):
            yield from _new_types(list(operation.ops))
        columns = [operation.column] if isinstance(operation, AddColumnOp) else []
        if isinstance(operation, CreateTableOp):
            columns = [column for column in operation.columns if isinstance(column, Column)]
        for column in columns:
            kind = column.type.item_type if isinstance(column.type, ARRAY) else column.type
            if isinstance(kind, Enum) and kind.native_enum:
                yield kind
