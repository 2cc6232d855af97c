"""The foreign keys of the table, and those that refer to it: they change hands in the swap."""

from dataclasses import dataclass

from src.safety.online.database import Database
from src.safety.online.names import literal
from src.safety.online.shadow_table.old_table import OldTable

_FOREIGN_KEYS = """
    SELECT k.conrelid::regclass::text AS child,
           k.conrelid = to_regclass(:table) AS own, k.conrelid = k.confrelid AS itself,
           k.confrelid::regclass::text AS parent, quote_ident(k.conname) AS name,
           pg_get_constraintdef(k.oid) AS definition, k.convalidated AS valid,
           obj_description(k.oid, 'pg_constraint') AS comment
    FROM pg_constraint k
    WHERE k.contype = 'f' AND k.conparentid = 0 AND to_regclass(:table) IN (k.conrelid, k.confrelid)
    ORDER BY 1, k.conname
"""


@dataclass(frozen=True)
class ForeignKeys:
    """Those of the table, and those that refer to it."""

    tables: list[str]
    """The other tables."""
    drop: list[str]
    add: list[str]
    validate: list[str]


def foreign_keys(database: Database, old: OldTable) -> ForeignKeys:
    """They are added NOT VALID in the swap: the rows are those that the old ones have guarded."""
    found = ForeignKeys([], [], [], [])
    for row in database.ask(_FOREIGN_KEYS, table=old.sql):
        if not row.itself:
            found.tables.append(row.parent if row.own else row.child)
        if not row.own:
            found.drop.append(f"ALTER TABLE {row.child} DROP CONSTRAINT {row.name}")
        not_valid = " NOT VALID" if row.valid else ""
        found.add.append(f"ALTER TABLE {row.child} ADD CONSTRAINT {row.name} {row.definition}{not_valid}")
        if row.comment is not None:
            found.add.append(f"COMMENT ON CONSTRAINT {row.name} ON {row.child} IS {literal(row.comment)}")
        if row.valid:
            found.validate.append(f"ALTER TABLE {row.child} VALIDATE CONSTRAINT {row.name}")
    return found
