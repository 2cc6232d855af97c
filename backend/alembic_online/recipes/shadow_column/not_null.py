"""NOT NULL of the old column, for the new one: it holds before the swap, and takes its name there.

A partition or child may say so though the table above does not. From PostgreSQL 18 on it is a constraint; up to 17 a
CHECK is validated in its place, so that SET NOT NULL scans nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from alembic_online.recipes.database import Database
from alembic_online.recipes.names import literal, quoted, temporary
from alembic_online.recipes.shadow_column.column import OldColumn
from alembic_online.recipes.step import Step

_NOT_NULL = """
    SELECT quote_ident(k.conname) AS name, coalesce(k.convalidated, true) AS valid,
           coalesce(k.connoinherit, false) AS kept, obj_description(k.oid, 'pg_constraint') AS comment
    FROM pg_attribute a
    LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum]
    WHERE a.attrelid = to_regclass(:table) AND a.attnum = :number AND a.attnotnull AND NOT EXISTS (
        SELECT FROM pg_inherits JOIN pg_attribute above ON above.attrelid = inhparent
        LEFT JOIN pg_constraint theirs ON theirs.conrelid = above.attrelid AND theirs.contype = 'n'
            AND theirs.conkey = ARRAY[above.attnum]
        WHERE inhrelid = a.attrelid AND above.attname = a.attname AND above.attnotnull
          AND theirs.connoinherit IS NOT TRUE)
"""


@dataclass(frozen=True)
class NotNull:
    """What one table says by itself, and not because of the table above it. Names are as SQL writes them."""

    table: str
    column: str
    """The new one."""
    name: str | None
    """From PostgreSQL 18 on."""
    made: str
    """The name of what proves it before the swap."""
    valid: bool
    kept: bool
    """It is not for children."""
    comment: str | None


def not_nulls(database: Database, column: OldColumn) -> list[NotNull]:
    """All of them, from the top down."""
    new, made = quoted(temporary(column.name)), quoted(temporary(f"{column.name}_not_null"))
    return [
        NotNull(each.table, new, row.name, made, row.valid, row.kept, row.comment)
        for each in column.family
        for row in database.ask(_NOT_NULL, table=each.table, number=each.number)
    ]


def proven(not_null: NotNull) -> Iterator[Step]:
    """Before the swap, without a lock that lasts."""
    table, made = not_null.table, not_null.made
    what = f"CHECK ({not_null.column} IS NOT NULL)" if not_null.name is None else f"NOT NULL {not_null.column}"
    there = f"FROM pg_constraint WHERE conrelid = {literal(table)}::regclass AND quote_ident(conname) = {literal(made)}"
    yield Step(
        sql=f"ALTER TABLE {table} ADD CONSTRAINT {made} {what}{' NO INHERIT' if not_null.kept else ''} NOT VALID",
        unless=f"SELECT EXISTS (SELECT {there})",
    )
    if not_null.valid:
        yield Step(sql=f"ALTER TABLE {table} VALIDATE CONSTRAINT {made}", unless=f"SELECT convalidated {there}")


def without_name(not_null: NotNull) -> Iterator[str]:
    """In the swap, before anything else: an identity may only be made of a column that is NOT NULL."""
    if not_null.name is None:
        yield f"ALTER TABLE {not_null.table} ALTER COLUMN {not_null.column} SET NOT NULL"
        yield f"ALTER TABLE {not_null.table} DROP CONSTRAINT {not_null.made}"


def with_name(not_null: NotNull) -> Iterator[str]:
    """In the swap, when the old column is gone, and its name is free."""
    table, name, made = not_null.table, not_null.name, not_null.made
    if name is not None:
        yield f"ALTER TABLE {table} RENAME CONSTRAINT {made} TO {name}"
    if name is not None and not_null.comment is not None:
        yield f"COMMENT ON CONSTRAINT {name} ON {table} IS {literal(not_null.comment)}"
