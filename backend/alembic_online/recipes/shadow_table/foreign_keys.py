"""The foreign keys of the tables that are rebuilt, and those that refer to them."""

import json
from collections.abc import Sequence

from alembic_online.recipes.database import Database
from alembic_online.recipes.recreate_foreign_keys import COLUMNS, ForeignKeys, recreated

_FOREIGN_KEYS = f"""
    WITH tables AS (
        SELECT to_regclass(name)::oid AS oid FROM json_array_elements_text(CAST(:tables AS json)) AS given (name)
    )
    SELECT {COLUMNS} FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.contype = 'f' AND k.conparentid = 0
      AND (k.conrelid IN (SELECT oid FROM tables) OR k.confrelid IN (SELECT oid FROM tables))
    ORDER BY 1, k.conname
"""


def foreign_keys(database: Database, tables: Sequence[str]) -> ForeignKeys:
    """They change hands in the swap."""
    return recreated(database.ask(_FOREIGN_KEYS, tables=json.dumps(list(tables))), database)
