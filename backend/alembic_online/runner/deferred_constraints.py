"""Deferred checks of rows that this transaction wrote: made before the table is changed, which PostgreSQL else refuses.

"cannot ALTER TABLE because it has pending trigger events" (CheckTableNotInUse, PostgreSQL 16 to 18): the events are
those of deferred foreign keys at either end, unique and exclusion constraints, and constraint triggers. A commit would
make the checks too.
"""

from sqlalchemy import Connection

from alembic_online.postgres.locks import strong_locks
from alembic_online.recipes.names import literal, verbatim

# Afterwards each is deferred again if it was: a later row may be wrong until the commit, as before.
_CHECK = """
DO $deferred$
DECLARE each record;
BEGIN
  FOR each IN
    WITH RECURSIVE family AS (
      SELECT to_regclass(name)::oid AS oid FROM unnest(ARRAY[{names}]::text[]) name
      UNION SELECT inhrelid FROM pg_inherits JOIN family ON inhparent = family.oid
    )
    SELECT DISTINCT format('%s.%I', k.connamespace::regnamespace, k.conname) AS name, k.condeferred
    FROM pg_trigger t JOIN pg_constraint k ON k.oid = t.tgconstraint
    WHERE t.tgdeferrable AND t.tgrelid IN (SELECT oid FROM family)
  LOOP
    EXECUTE format('SET CONSTRAINTS %s IMMEDIATE', each.name);
    IF each.condeferred OR {deferred} THEN
      EXECUTE format('SET CONSTRAINTS %s DEFERRED', each.name);
    END IF;
  END LOOP;
END $deferred$
"""


def check_deferred(connection: Connection, statement: str, *, deferred: bool = False) -> None:
    """Make the deferred checks of the tables that `statement` locks strongly.

    `deferred` says that the transaction has deferred some that are not so by themselves. Raises what the server says of
    a row that breaks one.
    """
    tables = sorted({lock.name for lock in strong_locks(statement)})
    if tables:
        names = ", ".join(map(literal, tables))
        connection.execute(verbatim(_CHECK.format(names=names, deferred=str(deferred).lower())))
