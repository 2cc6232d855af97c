"""Foreign keys that are dropped and added again while a table or a column changes hands.

They are added NOT VALID, which reads no row, and validated afterwards: the rows are those that the old ones have
guarded. Up to PostgreSQL 17 a partitioned table takes none that is NOT VALID: there its partitions get theirs first,
and the one of the whole table adopts them when they are valid.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from alembic_online.recipes.database import Database
from alembic_online.recipes.names import literal, quoted

COLUMNS = """k.conrelid::regclass::text AS "table", c.relkind = 'p' AS of_parts, k.conname::text AS name,
           k.confrelid::regclass::text AS parent, pg_get_constraintdef(k.oid) AS definition, k.convalidated AS valid,
           obj_description(k.oid, 'pg_constraint') AS comment"""
"""What must be known of each: of `pg_constraint k`, with the `pg_class c` whose it is."""
# Those of the partitions that belong to one of the table above.
_PARTS_OF = """
    WITH RECURSIVE parts AS (
        SELECT oid, confrelid FROM pg_constraint WHERE conrelid = to_regclass(:table) AND conname = :name
        UNION ALL
        SELECT k.oid, k.confrelid FROM pg_constraint k JOIN parts ON k.conparentid = parts.oid
        WHERE k.confrelid = parts.confrelid AND k.conrelid <> to_regclass(:table)
    )
    SELECT conrelid::regclass::text AS "table", conname::text AS name FROM pg_constraint JOIN parts USING (oid)
    WHERE conrelid <> to_regclass(:table) ORDER BY 1
"""


@dataclass
class ForeignKeys:
    """Statements, and the tables that they lock."""

    tables: list[str] = field(default_factory=list)
    drop: list[str] = field(default_factory=list)
    add: list[str] = field(default_factory=list)
    """In the swap, when the tables are what they are to be."""
    after: list[str] = field(default_factory=list)
    """Afterwards, each by itself."""


def recreated(rows: Iterable[Row[Any]], database: Database) -> ForeignKeys:
    """All of these, as they were."""
    found = ForeignKeys()
    for row in rows:
        found.tables += [row.table, row.parent]
        found.drop.append(f"ALTER TABLE {row.table} DROP CONSTRAINT {quoted(row.name)}")
        if row.of_parts and database.version < 18:
            _by_parts(row, found, database)
        else:
            _at_once(row, found, database)
    return found


def parts_of(table: str, name: str, database: Database) -> Sequence[Row[Any]]:
    """The foreign keys of the partitions that belong to this one of the table above: `table` and `name`."""
    return database.ask(_PARTS_OF, table=table, name=name)


def _at_once(row: Row[Any], found: ForeignKeys, database: Database) -> None:
    name, definition = quoted(row.name), row.definition.removesuffix(" NOT VALID")
    found.add += [f"ALTER TABLE {row.table} ADD CONSTRAINT {name} {definition} NOT VALID", *_comment(row)]
    for part in parts_of(row.table, row.name, database) if row.of_parts else ():
        if part.name != row.name:
            found.add.append(f"ALTER TABLE {part.table} RENAME CONSTRAINT {name} TO {quoted(part.name)}")
    if row.valid:
        found.after.append(f"ALTER TABLE {row.table} VALIDATE CONSTRAINT {name}")


def _by_parts(row: Row[Any], found: ForeignKeys, database: Database) -> None:
    names = {part.table: quoted(part.name) for part in parts_of(row.table, row.name, database)}
    parts = [part.sql for part in database.partitions(row.table) if not part.partitioned]
    found.add += [f"ALTER TABLE {part} ADD CONSTRAINT {names[part]} {row.definition} NOT VALID" for part in parts]
    found.after += [f"ALTER TABLE {part} VALIDATE CONSTRAINT {names[part]}" for part in parts]
    whole = f"ALTER TABLE {row.table} ADD CONSTRAINT {quoted(row.name)} {row.definition}"
    found.after += [whole, *_comment(row)]


def _comment(row: Row[Any]) -> Iterator[str]:
    if row.comment is not None:
        yield f"COMMENT ON CONSTRAINT {quoted(row.name)} ON {row.table} IS {literal(row.comment)}"
