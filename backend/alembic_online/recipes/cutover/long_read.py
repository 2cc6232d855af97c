"""What is part of a cut-over must not read all of a large table, which is locked meanwhile.

    SELECT setval(pg_get_serial_sequence('log', 'id'), max(id)) FROM log

Where no index begins with `id`, one is built beforehand that nobody waits for, and goes in the cut-over again.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Index, MetaData, Table
from sqlalchemy.schema import CreateIndex, DropIndex

from alembic_online.postgres.locks.reader import statements
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import ddl, folded, plain, temporary
from alembic_online.recipes.object_effects import last_part
from alembic_online.recipes.step import OnlineChange

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


@dataclass(frozen=True)
class HelperIndex:
    """One that is there for a statement of the cut-over alone."""

    create: OnlineChange
    drop: str


def helper_indexes(sql: str, database: Database) -> Iterator[HelperIndex]:
    """Those by which `sql` finds what it would read all of a large table for.

    A column that is exchanged has its index on the new one, which has the name when `sql` runs.
    """
    from alembic_online.recipes.create_index import create_index  # noqa: PLC0415  see `registry`

    found = database.recall(f"long reads of {sql}", lambda: json.dumps(long_reads(sql, database)))
    for written, column in json.loads(found or "[]"):
        (reader,) = statements(written)
        *schema, table = map(folded, reader.parts())
        own = temporary(column) if column in database.cut_over.exchanged(written) else column
        of: Table = Table(table, MetaData(), Column[Any](own), schema=schema[0] if schema else None)
        index = Index(temporary(f"{table}_{column}_max"), of.c[own])
        change = create_index(CreateIndex(index), database)
        assert change is not None, "it has a name and a table"
        yield HelperIndex(change, ddl(DropIndex(index)))
