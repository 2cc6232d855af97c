"""A new column that numbers its rows: identity or serial, on a table that has rows.

ADD COLUMN would compute each row's number, and so rewrite the table under ACCESS EXCLUSIVE. Instead the column is added
without numbers, and a sequence numbers new rows by default. The old rows are filled in batches, and NOT NULL follows.
An identity then gets the sequence of its own, which goes on where the first one is.
"""

from typing import Any

from alembic.ddl.base import AddColumn
from sqlalchemy import Column, Identity, Integer, MetaData, SmallInteger, Table, types

from alembic_online.backfill.definition import Backfill
from alembic_online.postgres.sql.identifiers import object_name
from alembic_online.recipes.backfill_step import fill
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import ddl, identity_sql, literal, qualified, quoted, sequence_options
from alembic_online.recipes.set_not_null import set_not_null
from alembic_online.recipes.step import OnlineChange, Step, Steps


def is_numbered(column: Column[Any]) -> bool:
    """Whether it is an identity or a serial."""
    return column.identity is not None or (column.primary_key and column.autoincrement is True)


def numbered_column(construct: AddColumn, database: Database) -> OnlineChange:
    """The column, its numbers, NOT NULL, its identity."""
    return OnlineChange(qualified(construct.table_name, construct.schema), _steps(construct, database))


def _steps(construct: AddColumn, database: Database) -> Steps:
    column, plain = construct.column, construct.table_name
    table, name = qualified(plain, construct.schema), quoted(column.name)
    identity = column.identity
    label = "numbers" if identity is not None else "seq"  # PostgreSQL's own name is for the one that stays
    sequence = qualified(object_name(plain, column.name, label), construct.schema)
    options = sequence_options(identity) if identity is not None else ""
    yield Step(sql=_bare(construct), with_next=True)
    yield Step(sql=f"CREATE SEQUENCE {sequence} AS {_integer(column)}{options} OWNED BY {table}.{name}", with_next=True)
    number = f"nextval({literal(sequence)})"
    yield Step(sql=f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {number}")
    yield from fill(f"number {table}.{name}", _numbers(table, plain, column.name, number), database)
    yield from set_not_null(table, plain, column.name, database)
    if identity is not None:
        yield from _identity(table, name, sequence, identity)


def _numbers(table: str, plain: str, column: str, number: str) -> Backfill:
    return Backfill(
        table=table,
        values={column: number},
        where=f"{quoted(column)} IS NULL",
        name=f"{plain}_{column}",
        in_step=True,
        unnoticed=True,
        asked_once=True,
    )


def _identity(table: str, name: str, sequence: str, identity: Identity) -> Steps:
    """One sequence takes over from the other while nobody can write."""
    yield Step(sql=f"ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT", with_next=True)
    own = f"pg_get_serial_sequence({literal(table)}, {literal(name.strip(chr(34)))})"
    yield Step(
        sql=f"DO $identity$ DECLARE place record; BEGIN SELECT last_value, is_called INTO place FROM {sequence};"
        f" DROP SEQUENCE {sequence}; ALTER TABLE {table} ALTER COLUMN {name} ADD {identity_sql(identity)};"
        f" PERFORM setval({own}, place.last_value, place.is_called); END $identity$"
    )


def _integer(column: Column[Any]) -> str:
    if isinstance(column.type, types.BigInteger):
        return "bigint"
    return "smallint" if isinstance(column.type, SmallInteger) else "integer"


def _bare(construct: AddColumn) -> str:
    kind = construct.column.type if construct.column.identity is not None else _plain_integer(construct.column)
    column: Column[Any] = Column(construct.column.name, kind)
    Table(construct.table_name, MetaData(), column, schema=construct.schema)
    return ddl(AddColumn(construct.table_name, column, schema=construct.schema, if_not_exists=construct.if_not_exists))


def _plain_integer(column: Column[Any]) -> Integer:
    return {"bigint": types.BigInteger(), "smallint": SmallInteger(), "integer": Integer()}[_integer(column)]
