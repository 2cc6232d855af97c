"""What runs in the place of a statement that is committed already: a later run may still need its rows.

Those that it returned are kept in the journal.
"""

import json
from typing import Any

from sqlalchemy import Connection, text

from alembic_online.errors import RevisionFailed
from alembic_online.postgres.sql.identifiers import quoted

NOTHING = "DO $$ BEGIN END $$"
"""It does that, and tells of no rows."""
_MOST = 1000  # rows: a journal is no table
# Of what these types return, JSON would be something else: bytea, json, xml, jsonb.
_OTHERS = (17, 114, 142, 3802)
_TYPES = text(
    "SELECT format_type(type, NULL) FROM unnest(CAST(:types AS oid[])) WITH ORDINALITY AS t (type, n) ORDER BY n"
)


def again(connection: Connection, statement: str, rows: int, kept: str | None) -> str:
    """What tells the same as `statement` has; `kept` is None where nobody reads its rows."""
    reads = rows and kept is not None and "RETURNING" in statement.upper()
    return give(kept or "", connection, statement) if reads else _nothing(rows)


def _nothing(rows: int) -> str:
    """It tells as many rows to a loop that counts them."""
    return f"SELECT FROM generate_series(1, {rows})" if rows else NOTHING


def empty(parameters: Any) -> Any:
    """No parameters, in the driver's form."""
    return type(parameters)() if parameters else parameters


def keep(cursor: Any) -> str:
    """The rows of a cursor of any driver, as JSON, without taking them from it; "" if it has none that can be kept."""
    if cursor.description is None:
        return ""
    names, types = [column[0] for column in cursor.description], [column[1] for column in cursor.description]
    rows = _rows(cursor)
    if len(rows) > _MOST or any(type_ in _OTHERS for type_ in types):
        return ""
    return json.dumps([names, types, [list(row) for row in rows]], default=str)


def _rows(cursor: Any) -> list[Any]:
    if hasattr(cursor, "_rows"):  # SQLAlchemy's adapters of async drivers have read them all by now
        return list(cursor._rows)
    rows = list(cursor.fetchall())
    if rows:
        cursor.scroll(0, mode="absolute")
    return rows


def give(kept: str, connection: Connection, statement: str) -> str:
    """A SELECT that returns them again. Raises `RevisionFailed` if there is nothing to return."""
    if not kept:
        raise RevisionFailed(
            f"An earlier try of this revision has committed a statement whose rows it needs again: {statement[:100]}",
            f"They were too many to keep (more than {_MOST}), or bytes or JSON. Let the revision not depend on them:\n"
            "do it in one statement, or read them back with a SELECT.",
        )
    names, types, rows = json.loads(kept)
    columns = ", ".join(
        f"{quoted(name)} {type_}"
        for name, type_ in zip(names, connection.scalars(_TYPES, {"types": types}), strict=True)
    )
    records = json.dumps([dict(zip(names, row, strict=True)) for row in rows]).replace("'", "''")
    select = f"SELECT * FROM jsonb_to_recordset('{records}') AS kept ({columns})"
    return select.replace("%", "%%") if connection.dialect.paramstyle == "pyformat" else select
