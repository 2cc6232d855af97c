"""A stored generated column on a table that has rows: PostgreSQL has no way to it but to rewrite the table."""

from alembic.ddl.base import AddColumn

from src.safety.errors import RevisionFailed
from src.safety.online.database import Database
from src.safety.online.names import ddl, qualified
from src.safety.online.numbered import is_numbered, numbered_column
from src.safety.online.step import OnlineChange, Step, Steps


def rewriting_column(construct: AddColumn, database: Database) -> OnlineChange | None:
    """For a new column whose values PostgreSQL computes for each row; None for any other."""
    column = construct.column
    if is_numbered(column):
        return numbered_column(construct, database)
    if column.computed is None or column.computed.persisted is False:
        return None
    table = qualified(construct.table_name, construct.schema)
    sql = ddl(construct)
    return OnlineChange(table, _refuse(table, sql) if database.is_known else iter([Step(sql=sql)]))


def _refuse(table: str, sql: str) -> Steps:
    # A plain column can be filled in batches, and cannot be made a generated one afterwards (PostgreSQL 16 to 18).
    yield from ()
    raise RevisionFailed(
        f"{sql} rewrites the whole of {table}: nobody could read or write until it is done.",
        "Make it VIRTUAL (from PostgreSQL 18 on), or a plain column that a trigger keeps and op.backfill fills.\n"
        f'If all may wait for it, let the revision say why: direct = {{"{table}": "..."}}',
    )
