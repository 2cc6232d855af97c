"""Which rows stand in the way of a constraint, looked up after the refusal: PostgreSQL names only the constraint."""

import re

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from src.postgres import sqlstate as state

_LOOK_UP_MS = 2000  # a scan on a live table must not take longer than the answer is worth
_KEY = text(
    """
    SELECT string_agg(format('%I', a.attname), ', ' ORDER BY array_position(i.indkey::int2[], a.attnum))
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = to_regclass(:table) AND i.indisprimary
    """
)
_CHECK = re.compile(r"\bCHECK\s*\((?P<condition>.*)\)", re.IGNORECASE | re.DOTALL)


def note_offending_rows(error: DBAPIError, connection: Connection) -> None:
    """Add a line with the number and the first keys of the rows that break a NOT NULL or a CHECK to the error's notes.

    A lookup of at most two seconds, read-only; where it fails or finds nothing, nothing is added.
    """
    condition = _condition(error)
    table = state.server_field(error, "table_name")
    if condition is None or table is None or connection.in_transaction():
        return
    quote = connection.dialect.identifier_preparer.quote
    name = ".".join(map(quote, filter(None, [state.server_field(error, "schema_name"), table])))
    try:
        with connection.begin():
            error.add_note(_describe(connection, name, condition))
    except SQLAlchemyError:
        return  # the refusal itself is what matters; it is on its way to the user


def _condition(error: DBAPIError) -> str | None:
    """SQL that is true for the rows in the way."""
    column = state.server_field(error, "column_name")
    match state.sqlstate(error):
        case state.NOT_NULL_VIOLATION if column and not state.server_field(error, "detail"):
            return f'"{column.replace(chr(34), chr(34) * 2)}" IS NULL'
        case state.CHECK_VIOLATION if found := _CHECK.search(error.statement or ""):
            return f"NOT ({found['condition']})"
    return None


def _describe(connection: Connection, table: str, condition: str) -> str:
    connection.execute(text("SET TRANSACTION READ ONLY"))
    connection.execute(text(f"SET LOCAL statement_timeout = {_LOOK_UP_MS}"))
    key = connection.scalar(_KEY, {"table": table}) or "ctid"
    where = text(f"SELECT {key} FROM {table} WHERE {condition.replace(':', chr(92) + ':')} LIMIT 1001")
    rows = connection.execute(where).all()
    count = "more than 1000" if len(rows) > 1000 else str(len(rows))
    first = "; ".join(", ".join(map(str, row)) for row in rows[:3])
    return f"Rows in the way: {count}; by {key}: {first}{'; ...' if len(rows) > 3 else ''}"
