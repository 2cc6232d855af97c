"""Indexes that a revision drops and that no new column gets: the new type has no operator class for them (a btree of a
text that becomes json), or another column of theirs goes too, and they with it.

Such an index goes before the swap, and is not made for the new column.
"""

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from alembic_online.recipes.database import Database
from alembic_online.recipes.names import quoted, verbatim
from alembic_online.recipes.shadow_column.column import OldColumn

_COPY = "index_copy"
_INDEXES = """
    SELECT c.relname::text AS name, substring(pg_get_indexdef(c.oid) FROM ' USING .*') AS rest,
        ARRAY(SELECT a.attname::text FROM pg_depend d
              JOIN pg_attribute a ON a.attrelid = indrelid AND a.attnum = d.refobjsubid
              WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refobjid = indrelid) AS columns
    FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = to_regclass(:table)
"""


def unfit(database: Database, column: OldColumn, kind: str) -> set[str]:
    """The plain names of those that are dropped in this cut-over and cannot be made for the type `kind`."""
    found = set[str]()
    for each in column.family:
        for row in database.ask(_INDEXES, table=each.table):
            if not database.cut_over.gives_up("index", each.table, quoted(row.name)):
                continue
            if any(database.cut_over.gives_up("column", each.table, quoted(name)) for name in row.columns):
                found.add(row.name.lower())
            else:
                with database.scratch() as connection:
                    if not _can_be_made(connection, each, kind, row.rest):
                        found.add(row.name.lower())
    return found


def _can_be_made(connection: Connection, column: OldColumn, kind: str, rest: str) -> bool:
    copy = f"pg_temp.{_COPY}"
    connection.execute(verbatim(f"CREATE TEMPORARY TABLE {_COPY} (LIKE {column.table})"))
    connection.execute(verbatim(f"ALTER TABLE {copy} ALTER COLUMN {column.quoted} TYPE {kind} USING NULL"))
    connection.execute(verbatim("SAVEPOINT index_of_copy"))
    try:
        connection.execute(verbatim(f"CREATE INDEX ON {copy}{rest}"))
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        connection.execute(verbatim("ROLLBACK TO SAVEPOINT index_of_copy"))
        return False
    return True
