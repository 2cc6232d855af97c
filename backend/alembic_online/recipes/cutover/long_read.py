"""What is part of a cut-over must not read all of a large table, which is locked meanwhile."""

import re

from alembic_online.errors import RevisionFailed
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import last_part

_MAX = re.compile(r"\bmax\s*\(\s*([\w$.\"]+)\s*\).*?\bfrom\s+(?:only\s+)?([\w$.\"]+)", re.IGNORECASE | re.DOTALL)
_HAS_DEFAULT = """
    SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(:table) AND lower(attname) = :column
    AND (atthasdef OR attidentity <> '')
"""
_LEADS_INDEX = """
    SELECT 1 FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
    WHERE indrelid = to_regclass(:table) AND indisvalid AND indpred IS NULL AND lower(attname) = :column
"""


def long_reads(sql: str, database: Database) -> list[tuple[str, str]]:
    """The large tables, as SQL writes them, of which `max` would read all, each with the column, plain."""
    found = []
    for written, table in _MAX.findall(sql):
        facts, column = database.table(table), last_part(plain(written))
        large = facts is not None and facts.bytes >= database.policy.small_table_bytes
        if large and not database.ask(_LEADS_INDEX, table=table, column=column):
            found.append((table, column))
    return found


def may_come_afterwards(sql: str, database: Database) -> bool:
    """Whether it says the number of columns that have no default so far: who knows no default asks for no number.

    Then it reads its table when the lock is let go of.
    """

    def find() -> bool:
        read = long_reads(sql, database)
        return bool(read) and not any(database.ask(_HAS_DEFAULT, table=table, column=column) for table, column in read)

    return database.recall_whether(f"afterwards: {sql}", find)


def refuse_long_read(sql: str, database: Database) -> None:
    """Raise `RevisionFailed` where `max` would read all of a large table, which is locked meanwhile."""
    for table, column in long_reads(sql, database):
        raise RevisionFailed(
            f"No index begins with {column}, so max({column}) reads all of {table}, for which clients would wait:"
            f" {' '.join(sql.split())[:100]}",
            f"Make an index on {table} ({column}) in an operation above, or write a number that will do.",
        )
