"""A new column that numbers its rows: identity or serial, on a table that has rows.

ADD COLUMN would compute each row's number, and so rewrite the table under ACCESS EXCLUSIVE. Instead the column is added
without numbers, and a sequence numbers new rows by default. The old rows are filled in batches, and NOT NULL follows.
An identity then gets the sequence of its own, which goes on where the first one is.

A revision may say the same in lines: ADD COLUMN, UPDATE, SET NOT NULL, ADD GENERATED. PostgreSQL wants them in this
order, so between the last two code that does not know the column could insert nothing. A sequence numbers its rows.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from typing import Any

from alembic.ddl.base import AddColumn
from sqlalchemy import Column, Integer, MetaData, SmallInteger, Table, types

from alembic_online.backfill.definition import Backfill
from alembic_online.postgres.locks.reader import single
from alembic_online.postgres.sql.identifiers import object_name
from alembic_online.recipes.backfill_step import fill
from alembic_online.recipes.cutover.statement_forms import altered_column
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import ddl, folded, identity_sql, literal, plain, qualified, quoted, sequence_options
from alembic_online.recipes.object_effects import last_part
from alembic_online.recipes.set_not_null import set_not_null
from alembic_online.recipes.step import OnlineChange, Step, Steps

_IDENTITY = re.compile(
    r"\bADD\s+(?P<action>GENERATED\s+(ALWAYS|BY\s+DEFAULT)\s+AS\s+IDENTITY\s*(\((?P<options>.*)\))?)\s*;?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_KIND = """
    SELECT format_type(atttypid, NULL) AS kind FROM pg_attribute
    WHERE attrelid = to_regclass(:table) AND attname = :column
"""
_NUMBERS = """
    SELECT 1 FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
    JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = pg_attrdef.oid
    WHERE adrelid = to_regclass(:table) AND quote_ident(attname) = :name AND d.refobjid = to_regclass(:helper)
"""


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
        yield from _identity(table, name, sequence, identity_sql(identity), goes_on=True)


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


def numbered_meanwhile(
    not_null: OnlineChange, column: str, identity: str, database: Database, *, is_new: bool
) -> OnlineChange:
    """NOT NULL of a column, as SQL writes it, that has no default and becomes this identity below.

    From the first step on it is numbered, behind the numbers that are there. One that `is_new` has been filled by the
    revision: rows that have come since get their numbers, too.
    """
    table, name = not_null.table, quoted(folded(column))
    sequence = _helper(table, name)
    number, found = f"nextval({literal(sequence)})", _IDENTITY.search(identity)
    options = found["options"] or "" if found else ""

    def steps() -> Steps:
        kind = next((row.kind for row in database.ask(_KIND, table=table, column=folded(column))), "bigint")
        yield Step(sql=f"CREATE SEQUENCE {sequence} AS {kind} {options} OWNED BY {table}.{name}")
        yield Step(
            sql=f"DO $numbers$ BEGIN PERFORM setval({literal(sequence)}, top + 1, false)"
            f" FROM (SELECT max({name}) AS top FROM {table}) AS found, pg_sequence"
            f" WHERE seqrelid = {literal(sequence)}::regclass AND seqincrement > 0 AND top >= seqstart"
            " AND top < seqmax; END $numbers$"
        )
        yield Step(sql=f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {number}")
        if is_new:
            definition = _numbers(table, last_part(plain(table)), folded(column), number)
            yield from fill(f"number {table}.{name}", definition, database)

    return replace(not_null, steps=chain(steps(), not_null.steps))


def takes_over(sql: str, database: Database, goes_on: Callable[[str, str], bool]) -> OnlineChange | None:
    """Where `sql` makes a column an identity that is numbered meanwhile: its sequence takes over.

    It `goes_on` behind the numbers that were given meanwhile, and behind all where a line below says so.
    """
    reader = single(sql)
    if reader is None or not (found := _IDENTITY.search(sql)) or not reader.accept("ALTER TABLE"):
        return None
    table = reader.altered()
    name = quoted(folded(altered_column(sql)))
    helper = _helper(table, name)
    there = f"{table}.{name} is numbered by {helper}"
    if not database.recall_whether(there, lambda: bool(database.ask(_NUMBERS, table=table, name=name, helper=helper))):
        return None
    steps = _identity(table, name, helper, found["action"], goes_on=goes_on(table, name))
    return OnlineChange(table, steps, always=True)


def _helper(table: str, name: str) -> str:
    schema, _, relation = table.rpartition(".")
    own = quoted(object_name(folded(relation), folded(name), "numbers"))
    return f"{schema}.{own}" if schema else own


def _identity(table: str, name: str, sequence: str, identity: str, *, goes_on: bool) -> Steps:
    """One sequence takes over from the other while nobody can write."""
    yield Step(sql=f"ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT", with_next=True)
    own = f"pg_get_serial_sequence({literal(table)}, {literal(name.strip(chr(34)))})"
    yield Step(
        sql=f"DO $identity$ DECLARE place record; BEGIN SELECT last_value, is_called INTO place FROM {sequence};"
        f" DROP SEQUENCE {sequence}; ALTER TABLE {table} ALTER COLUMN {name} ADD {identity};"
        f" IF {'true' if goes_on else 'place.is_called'} THEN"
        f" PERFORM setval({own}, place.last_value, place.is_called); END IF; END $identity$"
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
