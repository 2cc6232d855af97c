"""ADD COLUMN. With a constant default, or now(), it is the one instant statement that it is (PostgreSQL 11 and later).

A volatile default would rewrite the table under ACCESS EXCLUSIVE. So the column is added without it, and the default is
set for new rows. The old rows are filled in batches, and NOT NULL comes in steps of its own.

A column that is NOT NULL and has a default in Python only goes the same way. The statement as it stands could not add
it to a table with rows.
"""

from collections.abc import Callable
from typing import Any

from alembic.ddl.base import AddColumn
from sqlalchemy import CheckConstraint, Column, ColumnDefault, MetaData, Table
from sqlalchemy.schema import AddConstraint

from alembic_online.backfill.definition import Backfill, Rows
from alembic_online.recipes.backfill_step import fill
from alembic_online.recipes.create_check_constraint import add_check
from alembic_online.recipes.database import Database
from alembic_online.recipes.domain import column_by_new_table, is_ruled
from alembic_online.recipes.names import ddl, default_sql, expression, kind_sql, literal_value, qualified, quoted
from alembic_online.recipes.rewriting_defaults import rewriting_column
from alembic_online.recipes.set_not_null import set_not_null
from alembic_online.recipes.step import OnlineChange, Step, Steps
from alembic_online.recipes.volatile_defaults import is_volatile


def add_column(construct: AddColumn, database: Database) -> OnlineChange | None:
    """Column, default, backfill, NOT NULL, each where it is needed; None where the statement takes but an instant."""
    column, table = construct.column, qualified(construct.table_name, construct.schema)
    if construct.inline_references or construct.inline_primary_key:
        return None
    if rewriting := rewriting_column(construct, database):
        return rewriting
    if (default := default_sql(column)) is not None:
        if not is_volatile(default, database):
            return _whole(construct, table, database)
        by_new_table = is_ruled(kind_sql(column.type), database)
        return OnlineChange(table, _with_default(construct, default, database), after_swap=by_new_table)
    if column.nullable or not isinstance(column.default, ColumnDefault):
        return _whole(construct, table, database)
    if column.default.is_callable and not database.is_known:
        return None  # a script has no Python: as it stands it is for a table without rows, and fails on one with them
    steps = (
        _constant(construct, database) if column.default.is_scalar else _computed(construct, column.default, database)
    )
    return OnlineChange(table, steps, needed=True)


def _whole(construct: AddColumn, table: str, database: Database) -> OnlineChange | None:
    """The statement as it stands, where it would rewrite the table."""
    if not is_ruled(kind_sql(construct.column.type), database):
        return None
    return OnlineChange(table, _added(construct, ddl(construct), database), after_swap=True)


def _added(construct: AddColumn, sql: str, database: Database, *, with_next: bool = False) -> Steps:
    """`sql`, which adds the column; by a new table, where it would rewrite it."""
    table = qualified(construct.table_name, construct.schema)
    if is_ruled(kind_sql(construct.column.type), database):
        yield from column_by_new_table(
            table, construct.column.name, sql.removeprefix(f"ALTER TABLE {table} "), database
        )
    else:
        yield Step(sql=sql, with_next=with_next)


def _with_default(construct: AddColumn, default: str, database: Database) -> Steps:
    table, name = qualified(construct.table_name, construct.schema), quoted(construct.column.name)
    yield from _added(construct, _bare(construct), database, with_next=True)
    yield Step(sql=f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default}")
    yield from _filled(construct, {"values": {construct.column.name: default}, "in_step": True}, database)


def _constant(construct: AddColumn, database: Database) -> Steps:
    """The server's own default fills old rows without touching them, and then goes."""
    table, name = qualified(construct.table_name, construct.schema), quoted(construct.column.name)
    assert isinstance(construct.column.default, ColumnDefault)
    value = literal_value(construct.column.default.arg, construct.column.type)
    yield from _added(construct, f"{_bare(construct)} DEFAULT {value} NOT NULL", database, with_next=True)
    yield Step(sql=f"ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT")
    yield from _checks(construct, database)


def _computed(construct: AddColumn, default: ColumnDefault, database: Database) -> Steps:
    name = construct.column.name
    yield from _added(construct, _bare(construct), database)
    if default.is_callable:
        given: dict[str, Any] = {"function": _function(name, default.arg)}
    else:
        given = {"values": {name: expression(default.arg)}}
    yield from _filled(construct, given, database)


def _filled(construct: AddColumn, given: dict[str, Any], database: Database) -> Steps:
    table, column = qualified(construct.table_name, construct.schema), construct.column
    name = quoted(column.name)
    definition = Backfill(
        table=table, where=f"{name} IS NULL", name=f"{construct.table_name}_{column.name}", unnoticed=True, **given
    )
    yield from fill(f"fill {table}.{name}", definition, database)
    if not column.nullable:
        yield from set_not_null(table, construct.table_name, column.name, database)
    yield from _checks(construct, database)


def _checks(construct: AddColumn, database: Database) -> Steps:
    """The conditions that the statement as it stands would have had inline."""
    for constraint in construct.column.constraints:
        if isinstance(constraint, CheckConstraint):
            copy = CheckConstraint(constraint.sqltext, name=constraint.name)
            Table(construct.table_name, MetaData(), copy, schema=construct.schema)
            change = add_check(AddConstraint(copy), database)
            yield from change.steps if change else (Step(sql=ddl(AddConstraint(copy))),)


def _function(name: str, default: Callable[[Any], Any]) -> Callable[[Rows], Rows]:
    """A value for each row, as SQLAlchemy would make it for a new one."""

    def values(rows: Rows) -> Rows:
        return [{name: default(None)} for _ in rows]

    return values


def _bare(construct: AddColumn) -> str:
    """ADD COLUMN without its default, and so without NOT NULL."""
    column: Column[Any] = Column(construct.column.name, construct.column.type)
    Table(construct.table_name, MetaData(), column, schema=construct.schema)
    return ddl(AddColumn(construct.table_name, column, schema=construct.schema, if_not_exists=construct.if_not_exists))
