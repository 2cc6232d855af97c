"""ALTER COLUMN TYPE: free where PostgreSQL neither rewrites the table nor an index of it, nor checks its rows again.

Which changes are free is asked of the server itself, on an empty copy of the table that is rolled back: a change that
gives the copy or one of its indexes new files would do so to the table (`ATColumnChangeRequiresRewrite` and
`CheckIndexCompatible`, PostgreSQL 16 to 18; for timestamps it depends on the session's TimeZone).
"""

from alembic.ddl.base import ColumnType
from alembic.ddl.postgresql import PostgresqlColumnType
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from src.postgres import sqlstate as state
from src.safety.errors import RevisionFailed
from src.safety.online.database import Database
from src.safety.online.names import ddl, literal, qualified, quoted, verbatim
from src.safety.online.step import OnlineChange, Step, Steps

_COPY = "column_type_copy"
# What PostgreSQL does not change along with the column (ATPrepAlterColumnType, RememberAllDependentForRebuilding).
_IN_USE = """
    WITH RECURSIVE family AS (
        SELECT to_regclass(:table)::oid AS oid UNION SELECT inhrelid FROM pg_inherits JOIN family ON inhparent = oid
    )
    SELECT n.nspname::text AS schema, c.relname::text AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.oid IN (SELECT oid FROM family) AND a.attname = :column AND EXISTS (
        SELECT FROM pg_depend WHERE refclassid = 'pg_class'::regclass AND refobjid = c.oid AND refobjsubid = a.attnum
        AND classid IN ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass, 'pg_proc'::regclass)
        AND NOT EXISTS (SELECT FROM pg_trigger WHERE classid = 'pg_trigger'::regclass AND oid = objid AND tgisinternal))
"""
_MATERIALIZED = """
    SELECT 1 FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refobjid = to_regclass(:table) AND a.attname = :column
      AND c.relkind = 'm' LIMIT 1
"""
_CHECKED = """
    SELECT 1 FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
    WHERE k.contype = 'c' AND a.attrelid = to_regclass(:table) AND a.attname = :column LIMIT 1
"""
_FILES = f"""
    SELECT array_agg(pg_relation_filenode(oid) ORDER BY oid) FROM pg_class
    WHERE oid = 'pg_temp.{_COPY}'::regclass
       OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'pg_temp.{_COPY}'::regclass)
"""


def alter_type(construct: ColumnType, database: Database) -> OnlineChange | None:
    """The statement, and new statistics, where it is free; for a script, which cannot know, the statement."""
    if not database.is_known:
        return None
    table, column = qualified(construct.table_name, construct.schema), str(construct.column_name)
    in_use = bool(database.ask(_IN_USE, table=table, column=column))
    return OnlineChange(table, _steps(construct, table, column, database), always=in_use)


def _steps(construct: ColumnType, table: str, column: str, database: Database) -> Steps:
    if database.recall_whether(f"free: {ddl(construct)}", lambda: _is_free(construct, table, column, database)):
        yield from _around(Step(sql=ddl(construct)), table, column, database)
        yield Step(sql=f"ANALYZE {table} ({quoted(column)})")  # the old statistics went with the old type
        return
    from src.safety.online.shadow import shadow_column  # noqa: PLC0415  see `registry`

    yield from shadow_column(construct, database).steps


def _around(change: Step, table: str, column: str, database: Database) -> Steps:
    """The change, with what it would break on dropped before it and made again after it."""
    from src.safety.online.dependents import dependents_of_column  # noqa: PLC0415  see `registry`

    in_use = database.ask(_IN_USE, table=table, column=column)
    found = dependents_of_column(database, [(row.schema, row.name) for row in in_use], column) if in_use else None
    if found is None or found.others or found.materialized:
        yield change  # PostgreSQL says what is in its way
        return
    yield from (Step(sql=statement, with_next=True) for statement in found.drop_views)
    yield Step(sql=f"LOCK TABLE {', '.join(sorted({*found.locks, table}))} IN ACCESS EXCLUSIVE MODE", with_next=True)
    statements = [*found.drop, change.sql, *(f"EXECUTE {literal(statement)}" for statement in found.create)]
    yield Step(sql=f"DO $type$ BEGIN {'; '.join(statements)}; END $type$")


def _is_free(construct: ColumnType, table: str, column: str, database: Database) -> bool:
    if any(database.ask(query, table=table, column=column) for query in (_CHECKED, _MATERIALIZED)):
        return False
    with database.scratch() as connection:
        return _keeps_files(construct, table, connection)


def _keeps_files(construct: ColumnType, table: str, connection: Connection) -> bool:
    using = getattr(construct, "using", None)
    column, kind = construct.column_name, construct.type_
    change = PostgresqlColumnType(_COPY, column, kind, schema="pg_temp", using=using)
    try:
        connection.execute(verbatim(f"CREATE TEMPORARY TABLE {_COPY} (LIKE {table} INCLUDING ALL)"))
        before = connection.exec_driver_sql(_FILES).scalar()
        connection.execute(verbatim(ddl(change)))
        return bool(before == connection.exec_driver_sql(_FILES).scalar())
    except DBAPIError as error:
        if state.sqlstate(error) == state.INSUFFICIENT_PRIVILEGE:
            raise _cannot_ask(table, column) from error
        if error.connection_invalidated:
            raise
        return True  # what fails on an empty copy fails at once on the table, and says why in its own words


def _cannot_ask(table: str, column: str) -> RevisionFailed:
    return RevisionFailed(
        f"Whether a new type of {table}.{quoted(column)} is free is not known: this role may make no temporary table.",
        f"Ask for: GRANT TEMPORARY ON DATABASE ... TO ...\n"
        f'If all may wait for the change, let the revision say why: direct = {{"{table}": "..."}}',
    )
