"""Changes that rewrite the whole table under ACCESS EXCLUSIVE: they need a new column beside the old one.

A stored generated column, an identity or a serial on a table with rows, and a change of type that is not free.
"""

from collections.abc import Iterator

from alembic.ddl.base import AddColumn, ColumnType
from sqlalchemy import Column

from src.safety.errors import RevisionFailed
from src.safety.online.database import Database
from src.safety.online.names import ddl, qualified
from src.safety.online.step import OnlineChange, Step


def rewriting_column(construct: AddColumn, database: Database) -> OnlineChange | None:
    """For a new column whose values PostgreSQL computes for each row; None for any other."""
    return _refusal(construct, database) if _is_computed(construct.column) else None


def rewriting_type(construct: ColumnType, database: Database) -> OnlineChange:
    """For a change of type that is not free."""
    return _refusal(construct, database)


def _is_computed(column: "Column[object]") -> bool:
    stored = column.computed is not None and column.computed.persisted is not False
    serial = column.primary_key and column.autoincrement is True
    return stored or serial or column.identity is not None


def _refusal(construct: AddColumn | ColumnType, database: Database) -> OnlineChange:
    table = qualified(construct.table_name, construct.schema)
    steps = _refuse(table, ddl(construct)) if database.is_known else iter([Step(sql=ddl(construct))])
    return OnlineChange(table, steps)


def _refuse(table: str, sql: str) -> Iterator[Step]:
    yield from ()
    raise RevisionFailed(
        f"{sql} rewrites the whole of {table}: nobody could read or write until it is done.",
        "Add a new column, fill it with op.backfill, and drop the old one in a later revision.\n"
        f'If all may wait for it, let the revision say why: direct = {{"{table}": "..."}}',
    )
