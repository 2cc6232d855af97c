"""SQLSTATE of an error, whichever driver raised it, and the states that the rest of the code asks for.

Source: PostgreSQL 18, appendix A.
"""

from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

ADMIN_SHUTDOWN = "57P01"
CANNOT_COERCE = "42846"
CANNOT_CONNECT_NOW = "57P03"
CHANGED_MEANWHILE = "09000"  # ours, of a swap that finds something else than it was made for: PostgreSQL never gives it
CHECK_VIOLATION = "23514"
CONNECTION_DOES_NOT_EXIST = "08003"
CONNECTION_FAILURE = "08006"
CRASH_SHUTDOWN = "57P02"
DATA_EXCEPTION = "22"  # the class
DATATYPE_MISMATCH = "42804"
DEADLOCK_DETECTED = "40P01"
DISK_FULL = "53100"
DUPLICATE_OBJECT = "42710"
DUPLICATE_PREPARED_STATEMENT = "42P05"
DUPLICATE_TABLE = "42P07"
EXCLUSION_VIOLATION = "23P01"
FEATURE_NOT_SUPPORTED = "0A000"
INSUFFICIENT_PRIVILEGE = "42501"
INTERNAL_ERROR = "XX000"
INVALID_AUTHORIZATION = "28000"
INVALID_CATALOG_NAME = "3D000"
INVALID_PARAMETER_VALUE = "22023"
INVALID_PASSWORD = "28P01"
INVALID_STATEMENT_NAME = "26000"
LOCK_NOT_AVAILABLE = "55P03"
NOT_NULL_VIOLATION = "23502"
OBJECT_IN_USE = "55006"
OBJECT_NOT_IN_PREREQUISITE_STATE = "55000"
PROTOCOL_VIOLATION = "08P01"
QUERY_CANCELED = "57014"
READ_ONLY_TRANSACTION = "25006"
SERIALIZATION_FAILURE = "40001"
STRING_TOO_LONG = "22001"
SYNTAX_ERROR = "42601"
TOO_MANY_CONNECTIONS = "53300"
UNABLE_TO_CONNECT = "08001"
UNDEFINED_COLUMN = "42703"
UNDEFINED_FUNCTION = "42883"
UNDEFINED_OBJECT = "42704"
UNDEFINED_TABLE = "42P01"
UNIQUE_VIOLATION = "23505"


# What a session prepared names a type or a table by its OID, and that is gone: somebody made it again under its name.
# PostgreSQL 18: `elog(ERROR, "cache lookup failed for type %u")` and its like, `relation_open`, `lookup_type_cache`.
_GONE = {
    INTERNAL_ERROR: ("cache lookup failed for ", "could not open relation with OID "),
    UNDEFINED_OBJECT: ("type with OID ",),
}


def names_what_is_gone(error: BaseException) -> bool:
    """Whether the session prepared its statement before a type was made again; another session would succeed."""
    return server_message(error).startswith(_GONE.get(sqlstate(error) or "", ()))


def causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it was raised from, SQLAlchemy's `orig` before Python's own chain."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = getattr(current, "orig", None) or current.__cause__ or current.__context__


def sqlstate(error: BaseException) -> str | None:
    """The five characters that PostgreSQL gave, or None if the error is not the server's."""
    return next((state for cause in causes(error) if (state := _own(cause))), None)


def _own(cause: BaseException) -> str | None:
    """Of this one alone: asyncpg and psycopg call it `sqlstate`, psycopg2 `pgcode`."""
    for name in ("sqlstate", "pgcode"):
        if isinstance(state := getattr(cause, name, None), str):
            return state
    return None


def server_message(error: BaseException) -> str:
    """The server's own sentence, without SQLAlchemy's additions: statement and parameters may hold secrets."""
    innermost = [cause for cause in causes(error) if not isinstance(cause, SQLAlchemyError)] or [error]
    cause = next((cause for cause in reversed(innermost) if _own(cause)), innermost[0])
    primary = getattr(getattr(cause, "diag", None), "message_primary", None)
    lines = str(primary or getattr(cause, "message", None) or cause).splitlines()
    return lines[0].rpartition("FATAL:  ")[2] if lines else type(cause).__name__


def server_field(error: BaseException, name: str) -> str | None:
    """A field of the server's report such as `detail`, `table_name`, `column_name`, `constraint_name`."""
    psycopg_name = {"detail": "message_detail", "hint": "message_hint"}.get(name, name)
    for cause in causes(error):
        value = getattr(getattr(cause, "diag", None), psycopg_name, None) or getattr(cause, name, None)
        if isinstance(value, str) and value:
            return value
    return None
