"""From the locks that a statement's text tells to the relations that it will lock in this database."""

import json
from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from src.postgres.lock_modes import LockMode, TableLock

# A part is a constraint, or a column that foreign keys start from or lead to; one as written, so it is parsed first.
# Given as JSON: for an array asyncpg reads its type from the catalogue, anew after each schema change, for some 5 ms.
_TARGETS = text("""
WITH locks AS (
  SELECT to_regclass(name) AS relation, kind, (parse_ident(part))[1] AS part, mode
  FROM json_to_recordset(CAST(:locks AS json)) AS given (name text, kind text, part text, mode int)
), foreign_keys AS (
  SELECT conrelid, confrelid, ARRAY[conname] || ARRAY(
      SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey)
    ) AS own_parts, ARRAY(SELECT conname FROM pg_constraint k WHERE k.conindid = f.conindid AND k.contype IN ('p', 'u'))
    || ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = confrelid AND attnum = ANY (confkey)) AS their_parts
  FROM pg_constraint f WHERE contype = 'f'
), targets AS (
  SELECT relation, mode FROM locks
  WHERE kind NOT IN ('table of index', 'indexes of table', 'referenced tables', 'referencing tables')
  UNION ALL SELECT indrelid, mode FROM locks JOIN pg_index ON indexrelid = relation WHERE kind = 'table of index'
  UNION ALL SELECT indexrelid, mode FROM locks JOIN pg_index ON indrelid = relation WHERE kind = 'indexes of table'
  UNION ALL SELECT confrelid, mode FROM locks JOIN foreign_keys ON conrelid = relation
  WHERE kind = 'referenced tables' AND (part IS NULL OR part = ANY (own_parts))
  UNION ALL SELECT conrelid, mode FROM locks JOIN foreign_keys ON confrelid = relation
  WHERE kind = 'referencing tables' AND (part IS NULL OR part = ANY (their_parts))
)
SELECT relation::regclass::text, max(mode) FROM targets WHERE relation IS NOT NULL GROUP BY relation ORDER BY relation
""")


async def lock_targets(connection: AsyncConnection, locks: Iterable[TableLock]) -> dict[str, LockMode]:
    """The relations that `locks` are on, as regclass prints them, with the strongest mode; what is not there is not.

    One query, which takes no lock on them. Indexes count: nobody can plan a query while one of a table's is locked.
    """
    given = [{"name": lock.name, "kind": lock.kind, "part": lock.part, "mode": int(lock.mode)} for lock in locks]
    rows = await connection.execute(_TARGETS, {"locks": json.dumps(given)})
    return {relation: LockMode(mode) for relation, mode in rows}
