"""A revision that goes through all tables of a schema does not find those of the toolkit.

`MetaData.reflect()` and `inspect(bind).get_table_names()` are how revisions copy each table, or add a column to each:
with plain Alembic there is no history to be copied or changed. Names that a revision asks for by SQL of its own are
answered as PostgreSQL knows them.
"""

from typing import Any

from sqlalchemy import Column, Select, Table

from alembic_online.runtime.history import OWN_TABLES

_RELATIONS = "pg_catalog.pg_class"


def without_ours(statement: Any) -> Any:
    """The statement, which leaves out the toolkit's tables where it lists names of tables as SQLAlchemy's inspector."""
    if not isinstance(statement, Select):
        return statement
    for selected in statement.selected_columns:
        for column in selected.base_columns:
            if (
                isinstance(column, Column)
                and column.name == "relname"
                and isinstance(column.table, Table)
                and column.table.fullname == _RELATIONS
            ):
                return statement.where(column.not_in(OWN_TABLES))
    return statement
