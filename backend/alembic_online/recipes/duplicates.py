"""Values that a unique index would refuse, looked for before it is built: after an hour's build it says so too."""

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex

from alembic_online.recipes.database import Database
from alembic_online.recipes.names import around_name, quoted, table_name, verbatim
from alembic_online.recipes.precheck import Obstacle

_COPY = "unique_index_copy"
# Without order, operator class and collation, whichever way they were written.
_PARTS = """
    SELECT ARRAY(SELECT pg_get_indexdef(indexrelid, n, false) FROM generate_series(1, indnkeyatts) n) AS keys,
           pg_get_expr(indpred, indrelid) AS condition, indnullsnotdistinct AS nulls_too
    FROM pg_index WHERE indrelid = to_regclass(:copy)
"""


def duplicates(construct: CreateIndex, database: Database) -> Obstacle | None:
    """What is in the way of a unique index; None for any other, and for a script."""
    index = construct.element
    if not index.unique or index.table is None:
        return None
    head, rest = around_name(construct)
    return duplicates_of(quoted(str(index.name)), table_name(index.table), head, rest, database)


def duplicates_of(name: str, table: str, head: str, rest: str, database: Database) -> Obstacle | None:
    """The same for one that is written so around its name and `ON table`; None for a script.

    The server itself says what the index is on, by an empty copy of the table that is rolled back.
    """
    if not database.is_known:
        return None
    try:
        with database.scratch() as connection:
            return _obstacle(name, table, head, rest, connection, database)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return None  # what fails on an empty copy fails at once on the table, and says why in its own words


def _obstacle(name: str, table: str, head: str, rest: str, connection: Connection, database: Database) -> Obstacle:
    connection.execute(verbatim(f"CREATE TEMPORARY TABLE {_COPY} (LIKE {table})"))
    connection.execute(verbatim(f"{head} {_COPY}_index ON pg_temp.{_COPY} {rest}"))
    (found,) = database.ask(_PARTS, copy=f"pg_temp.{_COPY}")
    conditions = [] if found.nulls_too else [f"{key} IS NOT NULL" for key in found.keys]
    if found.condition is not None:
        conditions.append(found.condition)
    numbers = ", ".join(str(number) for number in range(1, len(found.keys) + 1))
    return Obstacle(
        what=f"{name} on {table}",
        found="values that occur more than once",
        select=f"SELECT {', '.join(found.keys)}, count(*) AS times FROM {table}"
        f"{' WHERE ' if conditions else ''}{' AND '.join(conditions)} GROUP BY {numbers} HAVING count(*) > 1",
    )
