"""New columns whose values PostgreSQL computes for each row: it would rewrite the table under ACCESS EXCLUSIVE."""

from alembic.ddl.base import AddColumn

from alembic_online.recipes.database import Database
from alembic_online.recipes.identity_column import is_numbered, numbered_column
from alembic_online.recipes.names import ddl, qualified
from alembic_online.recipes.step import OnlineChange, Step


def rewriting_column(construct: AddColumn, database: Database) -> OnlineChange | None:
    """An identity or a serial in steps, a stored generated column by a new table; None for any other column."""
    column = construct.column
    if is_numbered(column):
        return numbered_column(construct, database)
    if column.computed is None or column.computed.persisted is False:
        return None
    table, sql = qualified(construct.table_name, construct.schema), ddl(construct)
    if not database.is_known:
        return OnlineChange(table, iter([Step(sql=sql)]))
    # A plain column can be filled in batches, and cannot be made a generated one afterwards (PostgreSQL 16 to 18).
    from alembic_online.recipes.shadow_table import shadow_table  # noqa: PLC0415  see `registry`

    return shadow_table(table, sql.removeprefix(f"ALTER TABLE {table} "), database)
