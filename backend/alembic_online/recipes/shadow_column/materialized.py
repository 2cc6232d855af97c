"""Materialized views on the old column: rebuilt over the new one, and filled, before the swap.

No text is read as SQL to find the column in their queries: the column gets another name for an instant that nobody
sees, and PostgreSQL prints the query with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from alembic_online.errors import RevisionFailed
from alembic_online.recipes.database import Database
from alembic_online.recipes.index_build import built_again
from alembic_online.recipes.names import literal, quoted, temporary
from alembic_online.recipes.shadow_column.column import OldColumn
from alembic_online.recipes.shadow_table.create_like import GRANTS, SETTINGS
from alembic_online.recipes.shadow_table.recreate_indexes import carried
from alembic_online.recipes.shadow_table.source_table import OldTable
from alembic_online.recipes.step import Step

_VIEW = """
    SELECT quote_ident(pg_get_userbyid(relowner)) AS owner, relispopulated AS populated,
           (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns,
           ' USING ' || quote_ident(amname) || coalesce(' TABLESPACE ' || quote_ident(spcname), '') AS stored,
           pg_get_viewdef(c.oid) ~ '\\mUSING \\(' AS joins_by_name
    FROM pg_class c JOIN pg_am m ON m.oid = c.relam LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
    WHERE c.oid = to_regclass(:view)
"""
_COMMENTS = """
    SELECT format('COMMENT ON COLUMN %s.%I IS %L', CAST(:new AS text), attname, col_description(attrelid, attnum))
    FROM pg_attribute WHERE attrelid = to_regclass(:table) AND col_description(attrelid, attnum) IS NOT NULL
"""
_MARK = "the_column_that_is_rebuilt"
_MAKE = """\
DO $make$ DECLARE query text;
BEGIN
    ALTER TABLE {table} RENAME COLUMN {column} TO {mark};
    query := replace(rtrim(pg_get_viewdef({view}::regclass), ' ;'), {marked}, {new_column});
    ALTER TABLE {table} RENAME COLUMN {mark} TO {column};
    EXECUTE {head} || query || ' WITH NO DATA';
END $make$"""


@dataclass(frozen=True)
class MaterializedView:
    """One that reads the old column."""

    table: OldTable
    """What it has in common with a table, and where the new one is until the swap."""
    columns: str
    stored: str
    populated: bool
    statistics: tuple[str, ...]
    """The statements that move those of the new one."""


def read_materialized(database: Database, schema: str, name: str) -> MaterializedView:
    """The view as it is. Raises `RevisionFailed` where its query cannot be printed over another column."""
    table = OldTable(schema, name, "", [], [])
    (row,) = database.ask(_VIEW, view=table.sql)
    if row.joins_by_name:
        raise RevisionFailed(
            f"The materialized view {table.sql} joins by USING, and cannot be rebuilt over another column.",
            "Write its join with ON, or drop it in an earlier operation and make it again after this one.",
        )
    table = OldTable(schema, name, row.owner, [], [])
    moves = tuple(carried(database, table).moved)
    return MaterializedView(table, row.columns, row.stored, row.populated, moves)


def made_empty(view: MaterializedView, column: OldColumn, database: Database) -> Iterator[Step]:
    """The new one without rows, in a schema of its own; what PostgreSQL has against it, it says here."""
    table = view.table
    yield Step(sql=f"CREATE SCHEMA {table.shadow} AUTHORIZATION {table.owner}")
    yield Step(sql=f"LOCK TABLE {column.table} IN ACCESS EXCLUSIVE MODE", with_next=True)
    yield Step(
        sql=_MAKE.format(
            table=column.table,
            column=column.quoted,
            mark=_MARK,
            view=literal(table.sql),
            marked=literal(_MARK),
            new_column=literal(quoted(temporary(column.name))),
            head=literal(f"CREATE MATERIALIZED VIEW {table.new} ({view.columns}){view.stored} AS "),
        )
    )
    yield Step(sql=f"ALTER MATERIALIZED VIEW {table.new} OWNER TO {table.owner}")
    given = {"table": table.sql, "new": table.new}
    settings = SETTINGS.replace("COMMENT ON TABLE", "COMMENT ON MATERIALIZED VIEW")
    yield from (Step(sql=sql) for query in (settings, _COMMENTS) for (sql,) in database.ask(query, **given))
    yield from (Step(sql=row.statement) for row in database.ask(GRANTS, **given))


def filled(view: MaterializedView, database: Database) -> Iterator[Step]:
    """Its rows, as they are now, and its indexes."""
    if view.populated:
        yield Step(sql=f"REFRESH MATERIALIZED VIEW {view.table.new}")
    steps = [Step(sql=statement) for statement in carried(database, view.table).filled]
    yield from built_again(view.table.sql, steps, database)
    yield Step(sql=f"ANALYZE {view.table.new}")


def moved(view: MaterializedView) -> Iterator[str]:
    """It takes the place of the old one, which is gone."""
    yield f"ALTER MATERIALIZED VIEW {view.table.new} SET SCHEMA {quoted(view.table.schema)}"
    yield from view.statistics
    yield f"DROP SCHEMA {view.table.shadow}"
