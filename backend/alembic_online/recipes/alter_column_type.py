"""ALTER COLUMN TYPE: free where PostgreSQL neither rewrites the table nor an index of it, nor checks its rows again.

Which changes are free is asked of the server itself, on empty copies: of the table, and of those partitions that have
other indexes than it. A change that gives a copy or one of its indexes new files would do so to the table
(`ATColumnChangeRequiresRewrite` and `CheckIndexCompatible`, PostgreSQL 16 to 18). For timestamps it depends on the
session's TimeZone. Where no such copy can be made, nothing is known, and nothing counts as free.
"""

from collections.abc import Sequence, Set
from typing import Any, NamedTuple

from alembic.ddl.base import ColumnType
from alembic.ddl.postgresql import PostgresqlColumnType
from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import DBAPIError

from alembic_online.errors import RevisionFailed
from alembic_online.postgres import sqlstate as state
from alembic_online.recipes.cutover.replaced_type import with_stand_ins
from alembic_online.recipes.database import Database
from alembic_online.recipes.domain import column_by_new_table, is_ruled
from alembic_online.recipes.names import ddl, kind_sql, literal, qualified, quoted, verbatim
from alembic_online.recipes.step import OnlineChange, Step, Steps

_FAMILY = """
    WITH RECURSIVE family AS (
        SELECT to_regclass(:table)::oid AS oid UNION SELECT inhrelid FROM pg_inherits JOIN family ON inhparent = oid
    )
"""
# What PostgreSQL does not change along with the column (ATPrepAlterColumnType, RememberAllDependentForRebuilding).
_IN_USE = f"""
    {_FAMILY}
    SELECT DISTINCT n.nspname::text AS schema, c.relname::text AS name, k.kind, k.what FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum
    JOIN (
        SELECT 'pg_rewrite'::regclass AS class, r.oid, CASE v.relkind WHEN 'r' THEN 'rule' ELSE 'view' END AS kind,
               CASE v.relkind WHEN 'r' THEN r.rulename ELSE v.relname END::text AS what
        FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class
        UNION ALL SELECT 'pg_policy'::regclass, oid, 'policy', polname::text FROM pg_policy
        UNION ALL SELECT 'pg_trigger'::regclass, oid, 'trigger', tgname::text FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'pg_proc'::regclass, oid, 'function', proname::text FROM pg_proc
    ) AS k ON k.class = d.classid AND k.oid = d.objid
    WHERE c.oid IN (SELECT oid FROM family) AND a.attname = :column
"""
_MATERIALIZED = f"""
    {_FAMILY}
    SELECT c.relname::text AS name FROM pg_depend d
    JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refobjid IN (SELECT oid FROM family) AND a.attname = :column
      AND c.relkind = 'm'
"""
_CHECKED = f"""
    {_FAMILY}
    SELECT k.conname::text AS name
    FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
    WHERE k.contype = 'c' AND a.attrelid IN (SELECT oid FROM family) AND a.attname = :column
"""
# The table, and below it one of those that have the same indexes.
_KINDS = f"""
    {_FAMILY}
    SELECT DISTINCT ON (indexes) oid::regclass::text AS sql, relname::text AS name
    FROM family JOIN pg_class USING (oid) CROSS JOIN LATERAL (
        SELECT string_agg(regexp_replace(pg_get_indexdef(indexrelid), '.* USING ', ''), ',' ORDER BY 1)
        FROM pg_index WHERE indrelid = oid) AS found (indexes)
    ORDER BY indexes, oid <> to_regclass(:table)
"""
# Only access methods of extensions have conditions of their own: HNSW wants to know the dimensions, say.
_SPECIAL = f"""
    {_FAMILY}
    SELECT DISTINCT c.oid::regclass::text AS sql FROM family JOIN pg_index x ON x.indrelid = family.oid
    JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_attribute a ON a.attrelid = family.oid AND a.attname = :column
    WHERE c.relam >= 16384 AND EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid = family.oid AND d.refobjsubid = a.attnum)
"""
_FILES = """
    SELECT array_agg(pg_relation_filenode(oid) ORDER BY oid) FROM pg_class
    WHERE oid = to_regclass(:copy) OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = to_regclass(:copy))
"""
_INDEXES = """
    SELECT indexrelid::regclass::text AS sql, substring(pg_get_indexdef(indexrelid) FROM ' USING .*') AS definition
    FROM pg_index WHERE indrelid = to_regclass(:table)
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)
"""


def alter_type(construct: ColumnType, database: Database) -> OnlineChange | None:
    """The statement, and new statistics, where it is free; for a script, which cannot know, the statement."""
    if not database.is_known:
        return None
    table, column = qualified(construct.table_name, construct.schema), str(construct.column_name)
    in_use = bool(_users(table, column, database))
    special = bool(database.ask(_SPECIAL, table=table, column=column))
    always = in_use or (special and bool(_judged(construct, table, database).reason))
    return OnlineChange(table, _steps(construct, table, column, database), always=always)


def _users(table: str, column: str, database: Database) -> Sequence[Row[Any]]:
    """What PostgreSQL does not change along with it, but for what the revision has dropped above."""
    found = database.ask(_IN_USE, table=table, column=column)
    return [row for row in found if not database.cut_over.gives_up(row.kind, table, row.what)]


def _steps(construct: ColumnType, table: str, column: str, database: Database) -> Steps:
    from alembic_online.recipes.shadow_column import shadow_column  # noqa: PLC0415  see `registry`

    if stand_ins := database.cut_over.stand_ins(ddl(construct)):  # a change to another type of the same name
        yield from shadow_column(with_stand_ins(construct, stand_ins), database, stand_ins).steps
        return
    if database.recall_whether(f"free: {ddl(construct)}", lambda: _is_free(construct, table, column, database)):
        yield from _around(Step(sql=ddl(construct), joins=True), table, column, database)
        # The old statistics went with the old type. A line below may have renamed it, in the same cut-over.
        there = (
            f"SELECT FROM pg_attribute WHERE attrelid = to_regclass({literal(table)}) AND attname = {literal(column)}"
        )
        yield Step(sql=f"ANALYZE {table} ({quoted(column)})", unless=f"SELECT NOT EXISTS ({there})")
        return
    if is_ruled(kind_sql(construct.type_), database):
        using = getattr(construct, "using", None) or ""
        change = ddl(construct).removeprefix(f"ALTER TABLE {table} ")
        yield from column_by_new_table(table, column, change, database, using)
        return
    yield from shadow_column(construct, database).steps


def _around(change: Step, table: str, column: str, database: Database) -> Steps:
    """The change, with what it would break on dropped before it and made again after it."""
    from alembic_online.recipes.dependents import dependents_of_column  # noqa: PLC0415  see `registry`

    in_use = sorted({(row.schema, row.name) for row in _users(table, column, database)})
    found = dependents_of_column(database, in_use, column) if in_use else None
    if found is None or found.others or found.materialized:
        yield change  # PostgreSQL says what is in its way
        return
    yield from (Step(sql=statement, with_next=True, joins=True) for statement in found.drop_views)
    lock = f"LOCK TABLE {', '.join(sorted({*found.locks, table}))} IN ACCESS EXCLUSIVE MODE"
    yield Step(sql=lock, with_next=True, joins=True)
    statements = [*found.drop, change.sql, *(f"EXECUTE {literal(statement)}" for statement in found.create)]
    yield Step(sql=f"DO $type$ BEGIN {'; '.join(statements)}; END $type$", joins=True)


class _Judgement(NamedTuple):
    """What PostgreSQL makes of the change on empty copies."""

    free: bool
    reason: str = ""
    """Why an index could not be built again afterwards, though PostgreSQL lets the change through."""
    error: DBAPIError | None = None
    """What it has against the change itself; it would have the same against that of the table."""


def _is_free(construct: ColumnType, table: str, column: str, database: Database) -> bool:
    free, reason, error = _judged(construct, table, database)
    if error:
        raise error
    if reason:
        indexes = ", ".join(row.sql for row in database.ask(_SPECIAL, table=table, column=column))
        raise RevisionFailed(
            f"With this type of {table}.{quoted(column)} PostgreSQL could not build {indexes} again: {reason}.",
            "Neither REINDEX nor the restore of a dump would work. Drop the index in an earlier operation, and build\n"
            "it afterwards on what it needs: an expression of a type with dimensions, (embedding::vector(3)), say.",
        )
    for kind, query in (("constraint", _CHECKED), ("view", _MATERIALIZED)):
        found = database.ask(query, table=table, column=column)
        free = free and all(database.cut_over.gives_up(kind, table, row.name) for row in found)
    return free


def _judged(construct: ColumnType, table: str, database: Database) -> _Judgement:
    kinds = database.ask(_KINDS, table=table)
    with database.scratch() as connection:
        lost = list(database.cut_over.lost_by(table))
        gone = {
            row.definition
            for each in {table, *(kind.sql for kind in kinds)}
            for row in database.ask(_INDEXES, table=each)
            if database.cut_over.gives_up("index", each, row.sql)
        }
        found = [_tried(construct, kind.sql, kind.name, lost, gone, connection) for kind in kinds]
    unlike = [each for each in found if each.reason or each.error]
    return unlike[0] if unlike else _Judgement(all(each.free for each in found))


def _tried(
    construct: ColumnType, table: str, name: str, lost: Sequence[str], gone: Set[str], connection: Connection
) -> _Judgement:
    """On a copy of the same name, by which USING may call it, without what the revision drops of the table.

    `gone` are definitions of indexes: those of a copy have other names.
    """
    copy = f"pg_temp.{quoted(name)}"
    using = getattr(construct, "using", None)
    change = PostgresqlColumnType(name, construct.column_name, construct.type_, schema="pg_temp", using=using)
    connection.exec_driver_sql("SAVEPOINT trial")
    try:
        connection.execute(verbatim(f"CREATE TEMPORARY TABLE {quoted(name)} (LIKE {table} INCLUDING ALL)"))
    except DBAPIError as error:
        if state.sqlstate(error) == state.INSUFFICIENT_PRIVILEGE:
            raise _cannot_ask(table, str(construct.column_name)) from error
        _go_on(error, connection)
        return _Judgement(free=False)
    for action in lost:
        connection.execute(verbatim(f"ALTER TABLE {copy} {action}"))
    for index in connection.execute(text(_INDEXES), {"table": copy}).all():
        if index.definition in gone:
            connection.execute(verbatim(f"DROP INDEX {index.sql}"))
    before = connection.execute(text(_FILES), {"copy": copy}).scalar()
    try:
        connection.execute(verbatim(ddl(change)))
    except DBAPIError as error:
        _go_on(error, connection)
        return _Judgement(free=False, error=error)
    free = before == connection.execute(text(_FILES), {"copy": copy}).scalar()
    try:
        connection.execute(verbatim(f"REINDEX TABLE {copy}"))
    except DBAPIError as error:
        _go_on(error, connection)
        return _Judgement(free, state.server_message(error))
    connection.exec_driver_sql("ROLLBACK TO SAVEPOINT trial")
    return _Judgement(free)


def _go_on(error: DBAPIError, connection: Connection) -> None:
    """After what PostgreSQL has refused."""
    if error.connection_invalidated:
        raise error
    connection.exec_driver_sql("ROLLBACK TO SAVEPOINT trial")


def _cannot_ask(table: str, column: str) -> RevisionFailed:
    return RevisionFailed(
        f"Whether a new type of {table}.{quoted(column)} is free is not known: this role may make no temporary table.",
        f"Ask for: GRANT TEMPORARY ON DATABASE ... TO ...\n"
        f'If all may wait for the change, let the revision say why: direct = {{"{table}": "..."}}',
    )
