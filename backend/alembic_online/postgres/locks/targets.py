"""From the locks that a statement's text tells to the relations that it will lock in this database."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.locks import LockMode, TableLock

# A part is a constraint, or a column that foreign keys start from or lead to; one as written, so it is parsed first.
# Given as JSON: for an array asyncpg reads its type from the catalogue, again after each schema change, for some 5 ms.
_TARGETS = text("""
WITH RECURSIVE locks AS (
  SELECT to_regclass(name) AS relation, name, kind, (parse_ident(part))[1] AS part, mode
  FROM json_to_recordset(CAST(:locks AS json)) AS given (name text, kind text, part text, mode int)
), foreign_keys AS NOT MATERIALIZED (
  SELECT conrelid, confrelid, ARRAY[conname] || ARRAY(
      SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey)
    ) AS own_parts, ARRAY(SELECT conname FROM pg_constraint k WHERE k.conindid = f.conindid AND k.contype IN ('p', 'u'))
    || ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = confrelid AND attnum = ANY (confkey)) AS their_parts
  FROM pg_constraint f WHERE contype = 'f'
), above AS (
  SELECT inhparent, mode FROM locks JOIN pg_inherits ON inhrelid = relation
  JOIN pg_partitioned_table ON partrelid = inhparent WHERE kind = 'table above'
), truncated AS (
  SELECT relation, mode FROM locks WHERE kind = 'tables truncated with'
  UNION SELECT conrelid, mode FROM truncated JOIN foreign_keys ON confrelid = relation
), targets AS (
  SELECT relation, mode FROM locks
  WHERE kind IN ('table', 'index', 'view', 'materialized view', 'sequence', 'foreign table')
  UNION ALL SELECT indrelid, mode FROM locks JOIN pg_index ON indexrelid = relation WHERE kind = 'table of index'
  UNION ALL SELECT indexrelid, mode FROM locks JOIN pg_index ON indrelid = relation WHERE kind = 'indexes of table'
  UNION ALL SELECT confrelid, mode FROM locks JOIN foreign_keys ON conrelid = relation
  WHERE kind = 'referenced tables' AND (part IS NULL OR part = ANY (own_parts))
  UNION ALL SELECT conrelid, mode FROM locks JOIN foreign_keys ON confrelid = relation
  WHERE kind = 'referencing tables' AND (part IS NULL OR part = ANY (their_parts))
  UNION ALL SELECT inhparent, mode FROM above
  UNION ALL SELECT nullif(partdefid, 0), mode FROM pg_partitioned_table
  JOIN (SELECT relation, mode FROM locks WHERE kind = 'default partition' UNION ALL SELECT * FROM above) AS parent
    ON relation = partrelid
  UNION ALL SELECT attrelid, mode FROM locks JOIN pg_attribute ON atttypid = to_regtype(name) AND NOT attisdropped
  WHERE kind = 'tables of type'
  UNION ALL SELECT oid, mode FROM locks JOIN pg_class ON reloftype = to_regtype(name) WHERE kind = 'tables of type'
  UNION ALL SELECT * FROM truncated
)
SELECT relation::regclass::text, max(mode), relkind IN ('r', 'p') AS is_table,
  EXISTS (SELECT FROM pg_inherits WHERE inhdetachpending) AS detaching
FROM targets JOIN pg_class c ON c.oid = relation WHERE relkind <> 'c'
GROUP BY relation, relkind ORDER BY relation
""")

# Most statements lock what they name: the query of all that they could is ten times the work.
_NAMED = text("""
SELECT c.oid::regclass::text, max(mode), relkind IN ('r', 'p') AS is_table,
  EXISTS (SELECT FROM pg_inherits WHERE inhdetachpending) AS detaching
FROM json_to_recordset(CAST(:locks AS json)) AS given (name text, mode int) JOIN pg_class c ON c.oid = to_regclass(name)
WHERE relkind <> 'c' GROUP BY c.oid, relkind ORDER BY c.oid
""")
_BY_NAME = {"table", "index", "view", "materialized view", "sequence", "foreign table"}


class LockTargets(NamedTuple):
    """Relations, as regclass prints them, with the strongest mode on each."""

    modes: dict[str, LockMode]
    tables: frozenset[str]
    """Those among them that LOCK TABLE can lock by themselves: neither views, materialized ones, nor foreign tables."""
    detaching: bool = False
    """There is a partition in the database that is half detached."""


async def lock_targets(connection: AsyncConnection, locks: Iterable[TableLock]) -> LockTargets:
    """The relations that `locks` are on; what is not there is not.

    One query, which takes no lock on them. Indexes count: nobody can plan a query while one of a table's is locked.
    """
    given = [{"name": lock.name, "kind": lock.kind, "part": lock.part, "mode": int(lock.mode)} for lock in locks]
    query = _NAMED if _BY_NAME.issuperset(each["kind"] for each in given) else _TARGETS
    rows = (await connection.execute(query, {"locks": json.dumps(given)})).all()
    modes = {relation: LockMode(mode) for relation, mode, *_ in rows}
    tables = frozenset(relation for relation, _, is_table, _ in rows if is_table)
    return LockTargets(modes, tables, any(row.detaching for row in rows))
