"""Foreign keys that refer by the old column to a table with partitions.

What they need, a unique constraint over all partitions, is there only at the end of the swap (PostgreSQL has no USING
INDEX for it, 16 to 18). So they change hands in the swap, NOT VALID, which reads no row, and are validated afterwards:
the rows are those that the old ones have guarded. Up to PostgreSQL 17 a partitioned table takes none that is NOT VALID:
there its partitions get theirs first, and the one of the whole table adopts them when they are valid.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Row

from src.safety.online.database import Database
from src.safety.online.names import literal, quoted
from src.safety.online.shadow.column import OldColumn
from src.safety.online.shadow.constraints import parts_of

_REFERRING = """
    SELECT k.conrelid::regclass::text AS "table", c.relkind = 'p' AS of_parts, k.conname::text AS name,
           pg_get_constraintdef(k.oid) AS definition, k.convalidated AS valid,
           obj_description(k.oid, 'pg_constraint') AS comment
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = to_regclass(:table) AND :number = ANY (k.confkey)
    ORDER BY 1, k.conname
"""


@dataclass(frozen=True)
class ForeignKeys:
    """Statements, and the tables that they lock."""

    tables: list[str] = field(default_factory=list)
    drop: list[str] = field(default_factory=list)
    add: list[str] = field(default_factory=list)
    """In the swap, when the table has its unique constraints again."""
    after: list[str] = field(default_factory=list)
    """Afterwards, each by itself."""

    def __iadd__(self, other: "ForeignKeys") -> "ForeignKeys":
        for name, statements in asdict(other).items():
            getattr(self, name).extend(statements)
        return self


def foreign_keys(database: Database, column: OldColumn) -> ForeignKeys:
    """Of all that refer to the table, or to a partition that has partitions."""
    found = ForeignKeys()
    for each in column.family:
        if each.partitioned:
            for row in database.ask(_REFERRING, table=each.table, number=each.number):
                found += _by_parts(row, database) if row.of_parts and database.version < 18 else _one(row, database)
    return found


def _one(row: Row[Any], database: Database) -> ForeignKeys:
    name, definition = quoted(row.name), row.definition.removesuffix(" NOT VALID")
    add = [f"ALTER TABLE {row.table} ADD CONSTRAINT {name} {definition} NOT VALID", *_comment(row)]
    for part in parts_of(row.table, row.name, database) if row.of_parts else ():
        if part.name != row.name:
            add.append(f"ALTER TABLE {part.table} RENAME CONSTRAINT {name} TO {quoted(part.name)}")
    after = [f"ALTER TABLE {row.table} VALIDATE CONSTRAINT {name}"] if row.valid else []
    return ForeignKeys([row.table], [_drop(row)], add, after)


def _by_parts(row: Row[Any], database: Database) -> ForeignKeys:
    names = {part.table: quoted(part.name) for part in parts_of(row.table, row.name, database)}
    parts = [part.sql for part in database.partitions(row.table) if not part.partitioned]
    add = [f"ALTER TABLE {part} ADD CONSTRAINT {names[part]} {row.definition} NOT VALID" for part in parts]
    after = [f"ALTER TABLE {part} VALIDATE CONSTRAINT {names[part]}" for part in parts]
    whole = f"ALTER TABLE {row.table} ADD CONSTRAINT {quoted(row.name)} {row.definition}"
    return ForeignKeys([row.table], [_drop(row)], add, [*after, whole, *_comment(row)])


def _drop(row: Row[Any]) -> str:
    return f"ALTER TABLE {row.table} DROP CONSTRAINT {quoted(row.name)}"


def _comment(row: Row[Any]) -> Iterator[str]:
    if row.comment is not None:
        yield f"COMMENT ON CONSTRAINT {quoted(row.name)} ON {row.table} IS {literal(row.comment)}"
