"""Temporary tables go with their session, so what a crash interrupts after a commit could never go on with them."""

import re
from collections.abc import Callable

from sqlalchemy import Connection, text

from alembic_online.errors import RevisionFailed

_MAKES = re.compile(r"\b(?:CREATE|INTO)\s+(?:(?:GLOBAL|LOCAL)\s+)?TEMP(?:ORARY)?\b", re.IGNORECASE)
_GOES_WITH_TRANSACTION = re.compile(r"\bON\s+COMMIT\s+DROP\b", re.IGNORECASE)
_NAMES = text("SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind IN ('r', 'v', 'S')")


def is_temporary(statement: str) -> bool:
    """Whether what it makes may be temporary."""
    return bool(_MAKES.search(statement)) or "pg_temp" in statement


def makes_temporary(statement: str) -> bool:
    """Whether it may make something temporary that outlives the transaction."""
    return bool(_MAKES.search(statement)) and not _GOES_WITH_TRANSACTION.search(statement)


def goes_with_transaction(statement: str) -> bool:
    """Whether it may make something temporary that is gone after a commit."""
    return bool(_MAKES.search(statement)) and bool(_GOES_WITH_TRANSACTION.search(statement))


def refuse_temporary(connection: Connection, revision: str, is_needed: Callable[[str], bool]) -> None:
    """Raise `RevisionFailed` if something temporary that is needed is there now, before a commit amid `revision`."""
    if names := [name for name in connection.scalars(_NAMES) if is_needed(name)]:
        raise RevisionFailed(
            f"Revision {revision} has the temporary {names[0]} and leaves its transaction: after a crash it is gone,"
            " and with ON COMMIT DROP at once.",
            "Drop it before that point, or make it an ordinary table (UNLOGGED)\nand drop it at the end.",
        )
