"""Server defaults: equal if PostgreSQL says so. Alembic compares texts, and fails on an apostrophe and on JSON."""

from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Computed, FetchedValue, Identity, text
from sqlalchemy.exc import DBAPIError

_PRINTED = text(
    "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = to_regclass('pg_temp.compared_default')"
)


def compare_server_default(
    context: MigrationContext,
    _inspected_column: Column[Any],
    metadata_column: Column[Any],
    inspected_default: str | None,
    metadata_default: FetchedValue | None,
    _rendered_default: str | None,
) -> bool | None:
    """Alembic's hook: True if the two differ, None to leave the question to Alembic.

    The model's default is given to a column of a temporary table, and read again as PostgreSQL prints it, like the
    database's own. The table is rolled back.
    """
    if metadata_default is None or isinstance(metadata_default, Computed | Identity) or inspected_default is None:
        return None
    # As CREATE TABLE writes it: what Alembic has rendered has lost its quotation marks.
    compiler = context.dialect.ddl_compiler(context.dialect, None)  # type: ignore[arg-type]  # none is there
    default = compiler.get_column_default_string(metadata_column)
    if default is None or default == inspected_default:
        return None
    printed = _as_printed(context, metadata_column, default)
    return None if printed is None else printed != inspected_default


def _as_printed(context: MigrationContext, column: Column[Any], default: str) -> str | None:
    connection = context.connection
    assert connection is not None, "autogenerate compares with it"
    kind = column.type.compile(dialect=context.dialect)
    try:
        with connection.begin_nested() as savepoint:
            connection.exec_driver_sql(f"CREATE TEMPORARY TABLE compared_default (value {kind} DEFAULT {default})")
            printed: str | None = connection.scalar(_PRINTED)
            savepoint.rollback()
    except DBAPIError:
        return None  # a read-only server, or a type that is not there yet: Alembic's own comparison must do
    return printed
