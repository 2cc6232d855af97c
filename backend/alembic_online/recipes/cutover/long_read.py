"""What is part of a cut-over must not read all of a large table, which is locked meanwhile."""

import re

from alembic_online.errors import RevisionFailed
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import last_part

_MAX = re.compile(r"\bmax\s*\(\s*([\w$.\"]+)\s*\).*?\bfrom\s+(?:only\s+)?([\w$.\"]+)", re.IGNORECASE | re.DOTALL)
_LEADS_INDEX = """
    SELECT 1 FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
    WHERE indrelid = to_regclass(:table) AND indisvalid AND indpred IS NULL AND lower(attname) = :column
"""


def refuse_long_read(sql: str, database: Database) -> None:
    """Raise `RevisionFailed` where `max` would read all of a large table, which is locked meanwhile."""
    for column, table in _MAX.findall(sql):
        facts, name = database.table(table), last_part(plain(column))
        if facts is None or facts.bytes < database.policy.small_table_bytes:
            continue
        if not database.ask(_LEADS_INDEX, table=table, column=name):
            raise RevisionFailed(
                f"No index begins with {name}, so max({name}) reads all of {table}, for which clients would wait:"
                f" {' '.join(sql.split())[:100]}",
                f"Make an index on {table} ({name}) in an operation above, or write a number that will do.",
            )
