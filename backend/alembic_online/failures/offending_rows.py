"""Which rows stand in the way of a constraint, looked up after the refusal: PostgreSQL names only the constraint."""

import re

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from alembic_online.postgres import sqlstate as state
from alembic_online.runtime.row_security import every_row

_LOOK_UP_SECONDS = 2.0  # a scan on a live table must not take longer than the answer is worth
_KEY = text(
    """
    SELECT string_agg(format('%I', a.attname), ', ' ORDER BY array_position(i.indkey::int2[], a.attnum))
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = to_regclass(:table) AND i.indisprimary
    """
)
_SHORTER = re.compile(
    r"ALTER TABLE (?P<table>\S+) ALTER COLUMN (?P<column>\S+) TYPE (?:VAR)?CHAR\w*\((?P<length>\d+)\)", re.IGNORECASE
)
_CHECK = re.compile(r"\bCHECK\s*\((?P<condition>.*)\)", re.IGNORECASE | re.DOTALL)


def note_offending_rows(error: DBAPIError, connection: Connection) -> None:
    """Add a line with the number and the first keys of the rows that break a NOT NULL or a CHECK to the error's notes.

    A lookup of at most two seconds, read-only; where it fails or finds nothing, nothing is added.
    """
    found = _table_and_condition(error)
    if found is None or connection.in_transaction():
        return
    try:
        with connection.begin(), every_row(connection, seconds=_LOOK_UP_SECONDS):
            error.add_note(_describe(connection, *found))
    except SQLAlchemyError as refused:  # the first error is what matters; it is on its way to the user
        if state.sqlstate(refused) == state.INSUFFICIENT_PRIVILEGE:
            error.add_note("Rows in the way: not shown, for this role may not see all of them (row-level security)")


def _table_and_condition(error: DBAPIError) -> tuple[str, str] | None:
    """The table, and SQL that is true for the rows in the way."""
    column, detail = state.server_field(error, "column_name"), state.server_field(error, "detail")
    names = [state.server_field(error, "schema_name"), state.server_field(error, "table_name")]
    table = ".".join(_quoted(name) for name in names if name)
    match state.sqlstate(error):
        case state.NOT_NULL_VIOLATION if column and not detail:
            return table, f"{_quoted(column)} IS NULL"
        case state.CHECK_VIOLATION if found := _CHECK.search(error.statement or ""):
            return table, f"NOT ({found['condition']})"
        case state.STRING_TOO_LONG if found := _SHORTER.search(error.statement or ""):
            return found["table"], f"length({found['column']}::text) > {found['length']}"
    return None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _describe(connection: Connection, table: str, condition: str) -> str:
    connection.execute(text("SET TRANSACTION READ ONLY"))
    key = connection.scalar(_KEY, {"table": table}) or "ctid"
    where = text(f"SELECT {key} FROM {table} WHERE {condition.replace(':', chr(92) + ':')} LIMIT 1001")
    rows = connection.execute(where).all()
    count = "more than 1000" if len(rows) > 1000 else str(len(rows))
    first = "; ".join(", ".join(map(str, row)) for row in rows[:3])
    return f"Rows in the way: {count}; by {key}: {first}{'; ...' if len(rows) > 3 else ''}"
