"""ALTER TYPE ... ADD VALUE: committed by itself, so that what comes after it in the revision can use the label.

PostgreSQL (12 to 18) takes it inside of a transaction, but refuses the new label until that is committed, unless the
type is new there too.
"""

from sqlalchemy import TextClause

from src.postgres.lock_modes.reader import statements
from src.safety.online.database import Database
from src.safety.online.names import ddl
from src.safety.online.step import OnlineChange, Step


def add_label(statement: TextClause, database: Database) -> OnlineChange | None:
    """For this one kind of SQL that is written by hand; None for any other."""
    found = list(statements(statement.text))
    if len(found) != 1 or not found[0].accept("ALTER TYPE"):
        return None
    name = found[0].name()
    return OnlineChange(name, iter([Step(sql=ddl(statement))])) if found[0].accept("ADD VALUE") else None
