"""Columns whose type is a domain with a rule: PostgreSQL holds it against every row, though each would be NULL.

ADD COLUMN of one rewrites the table under ACCESS EXCLUSIVE (`ATExecAddColumn`, PostgreSQL 16 to 18), and so does a type
that becomes one, of which there can be no column beside the old one either. So a new table takes the old one's place.
Whether it must is asked of the server, on an empty table.
"""

from alembic_online.recipes.database import Database
from alembic_online.recipes.names import literal, uncollated, verbatim
from alembic_online.recipes.step import Steps

_DOMAIN = "SELECT 1 FROM pg_type WHERE oid = to_regtype(:kind) AND typtype = 'd'"
_COLUMN = """
    SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(:table) AND attname = :column AND NOT attisdropped
"""
_TRIAL = "pg_temp.domain_trial"
_FILE = f"SELECT pg_relation_filenode('{_TRIAL}')"


def is_ruled(kind: str, database: Database) -> bool:
    """Whether a new column of this type, as SQL writes it, rewrites its table; no where nothing can be asked."""
    return database.recall_whether(f"{kind} has a rule", lambda: _rewrites(kind, database))


def _rewrites(kind: str, database: Database) -> bool:
    if not database.ask(_DOMAIN, kind=uncollated(kind)):
        return False
    with database.scratch() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {_TRIAL} ()")
        before = connection.exec_driver_sql(_FILE).scalar()
        connection.execute(verbatim(f"ALTER TABLE {_TRIAL} ADD COLUMN c {kind}"))
        return bool(before != connection.exec_driver_sql(_FILE).scalar())


def column_by_new_table(table: str, column: str, change: str, database: Database, using: str = "") -> Steps:
    """`ALTER TABLE table change`, which adds or changes this column (a plain name), on a new table."""
    from alembic_online.recipes.shadow_table import shadow_table  # noqa: PLC0415  see `registry`

    kind = (
        "SELECT coalesce(max(format_type(atttypid, atttypmod)), 'none') FROM pg_attribute"
        f" WHERE attrelid = to_regclass(:table) AND attname = {literal(column)} AND NOT attisdropped"
    )
    if "IF NOT EXISTS" in change.upper() and _is_there(table, column, database):
        return  # there is nothing to add
    computed = {column: using} if using else {}
    yield from shadow_table(table, change, database, computed=computed, mark=kind).steps


def _is_there(table: str, column: str, database: Database) -> bool:
    words = f"{table}.{column} is there"
    return database.recall_whether(words, lambda: bool(database.ask(_COLUMN, table=table, column=column)))
