"""Temporary tables go with their session, so what a crash interrupts after a commit could never go on with them."""

import re

from sqlalchemy import Connection, text

from alembic_online.errors import RevisionFailed

_MAKES = re.compile(r"\b(?:CREATE|INTO)\s+(?:(?:GLOBAL|LOCAL)\s+)?TEMP(?:ORARY)?\b", re.IGNORECASE)
_GOES_WITH_TRANSACTION = re.compile(r"\bON\s+COMMIT\s+DROP\b", re.IGNORECASE)
_NAMES = text("SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind IN ('r', 'v', 'S')")


def makes_temporary(statement: str) -> bool:
    """Whether it may make something temporary that outlives the transaction."""
    return bool(_MAKES.search(statement)) and not _GOES_WITH_TRANSACTION.search(statement)


def refuse_temporary(connection: Connection, revision: str) -> None:
    """Raise `RevisionFailed` if something temporary is there now, before a commit in the middle of `revision`."""
    if names := list(connection.scalars(_NAMES)):
        raise RevisionFailed(
            f"Revision {revision} has the temporary {names[0]} and leaves its transaction: after a crash it is gone.",
            "Drop it before that point, or make it an ordinary table (UNLOGGED)\nand drop it at the end.",
        )
