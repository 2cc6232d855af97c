"""CHECK and foreign keys of the old column in both directions, made again for the new one.

Up to PostgreSQL 17 a partitioned table takes no foreign key that is NOT VALID: there each partition gets its own first,
and the one of the whole table then adopts them.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row

from alembic_online.recipes.database import Database
from alembic_online.recipes.names import literal, quoted, temporary
from alembic_online.recipes.recreate_foreign_keys import parts_of
from alembic_online.recipes.shadow_column.column import OldColumn
from alembic_online.recipes.shadow_column.pending_columns import with_column
from alembic_online.recipes.step import Step

_CONSTRAINTS = """
    SELECT k.conname::text AS name, k.contype::text AS kind, k.conrelid::regclass::text AS "table",
           pg_get_constraintdef(k.oid) AS definition, k.convalidated AS valid,
           k.contype = 'f' AND c.relkind = 'p' AS of_parts,
           obj_description(k.oid, 'pg_constraint') AS comment,
           k.conrelid = to_regclass(:table) AND :number = ANY (k.conkey) AS own,
           coalesce(k.confrelid = to_regclass(:table) AND :number = ANY (k.confkey), false) AS theirs
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.contype IN ('c', 'f') AND k.conparentid = 0 AND k.coninhcount = 0
      AND (k.conrelid = to_regclass(:table) AND :number = ANY (k.conkey)
           OR k.confrelid = to_regclass(:table) AND :number = ANY (k.confkey))
      AND NOT coalesce(k.confrelid = to_regclass(:table) AND :number = ANY (k.confkey) AND :in_swap, false)
    ORDER BY k.contype, k.conrelid::regclass::text, k.conname
"""


def constraints(database: Database, column: OldColumn) -> Iterator[Step]:
    """Each made, validated, and put in the place of the old one."""
    for each in column.family:
        given = {"table": each.table, "number": each.number, "in_swap": each.partitioned}  # see `foreign_keys`
        for row in database.ask(_CONSTRAINTS, **given):
            if not database.cut_over.drops("constraint", row.table, row.name):
                yield from _one(row, each, database)


def _one(row: Row[Any], column: OldColumn, database: Database) -> Iterator[Step]:
    new = temporary(row.name)
    definition = _definition(row.definition.removesuffix(" NOT VALID"), column, own=row.own, theirs=row.theirs)
    if row.of_parts and database.version < 18:
        for part in database.partitions(row.table):
            if not part.partitioned:
                yield from _made(part.sql, new, definition, valid=True)
        add = f"ALTER TABLE {row.table} ADD CONSTRAINT {quoted(new)} {definition}"
        yield Step(sql=add, unless=_there(row.table, new))
    else:
        yield from _made(row.table, new, definition, valid=row.valid)
    # A rename of the one does not reach those of the partitions.
    parts = parts_of(row.table, row.name, database) if row.of_parts else ()
    yield Step(sql=f"ALTER TABLE {row.table} DROP CONSTRAINT {quoted(row.name)}", with_next=True)
    for table, name in [*((each.table, each.name) for each in parts), (row.table, row.name)]:
        last = table == row.table and row.comment is None
        rename = f"ALTER TABLE {table} RENAME CONSTRAINT {quoted(new)} TO {quoted(name)}"
        yield Step(sql=rename, with_next=not last)
    if row.comment is not None:
        yield Step(sql=f"COMMENT ON CONSTRAINT {quoted(row.name)} ON {row.table} IS {literal(row.comment)}")


def _made(table: str, name: str, definition: str, *, valid: bool) -> Iterator[Step]:
    add = f"ALTER TABLE {table} ADD CONSTRAINT {quoted(name)} {definition} NOT VALID"
    yield Step(sql=add, unless=_there(table, name))
    if valid:
        is_valid = f"SELECT convalidated FROM pg_constraint WHERE {_known(table, name)}"
        yield Step(sql=f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted(name)}", unless=is_valid)


def _there(table: str, name: str) -> str:
    return f"SELECT EXISTS (SELECT FROM pg_constraint WHERE {_known(table, name)})"


def _known(table: str, name: str) -> str:
    return f"conrelid = {literal(table)}::regclass AND conname = {literal(name)}"


def _definition(definition: str, column: OldColumn, *, own: bool, theirs: bool) -> str:
    """A foreign key names columns of two tables, before and after REFERENCES."""
    new = quoted(temporary(column.name))
    before, references, after = definition.partition(" REFERENCES ")
    place, parenthesis, after = after.partition("(")
    referred, closing, after = after.partition(")")
    if own:  # ON DELETE SET NULL may name columns too
        before, after = (with_column(part, column.quoted, new) for part in (before, after))
    if theirs:
        referred = with_column(referred, column.quoted, new)
    return "".join([before, references, place, parenthesis, referred, closing, after])
