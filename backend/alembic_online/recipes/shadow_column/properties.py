"""Comment, grants, statistics target, options and compression of the old column, for the new one."""

from collections.abc import Iterator

from alembic_online.postgres.catalogue.scope import column_options
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import temporary
from alembic_online.recipes.shadow_column.column import OldColumn
from alembic_online.recipes.step import Step

_STATEMENTS = f"""
    WITH old AS (
        SELECT a.*, c.relowner, CAST(:table AS text) AS shown FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE a.attrelid = to_regclass(:table) AND a.attnum = :number
    )
    SELECT format('COMMENT ON COLUMN %s.%I IS %L', shown, CAST(:new AS text), col_description(attrelid, attnum))
    FROM old WHERE col_description(attrelid, attnum) IS NOT NULL
    UNION ALL
    SELECT format('GRANT %s (%I) ON %s TO %s%s', g.privilege_type, CAST(:new AS text), shown,
                  CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
                  CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM old, aclexplode(attacl) AS g
    UNION ALL
    SELECT format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', shown, CAST(:new AS text), attstattarget)
    FROM old WHERE coalesce(attstattarget, -1) <> -1
    UNION ALL
    SELECT format('ALTER TABLE %s ALTER COLUMN %I SET (%s)', shown, CAST(:new AS text),
                  array_to_string(options, ', '))
    FROM old, LATERAL (SELECT {column_options("attoptions")}) AS own (options) WHERE options IS NOT NULL
"""


def properties(database: Database, column: OldColumn) -> Iterator[Step]:
    """The statements, each of which may be repeated."""
    for each in column.family:
        values = {"table": each.table, "number": each.number, "new": temporary(column.name)}
        yield from (Step(sql=statement) for (statement,) in database.ask(_STATEMENTS, **values))
