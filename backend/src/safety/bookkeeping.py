"""Where the migrations' own tables stand: beside the version table, and addressed by that schema.

The search_path is no address. A schema that a revision makes may come first on it from then on, because it is called
like the role ("$user"), or because ALTER ROLE or ALTER DATABASE names it: a name without schema would then mean another
table than before, and a table that is made by such a name lands among the tables of the project.
"""

from typing import NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

VERSION_TABLE = "alembic_version"

# One that stands elsewhere counts if no other version table is beside it: it would belong to another project.
_STANDING = text(
    """
    WITH version AS (
        SELECT coalesce(
            CAST(:schema AS text),
            (SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.oid = to_regclass(quote_ident(:version))),
            current_schema()::text, 'public') AS schema
    ), found AS (
        SELECT n.nspname::text AS schema
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN version
        WHERE c.relname = :table AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'
          AND (n.nspname = version.schema OR has_table_privilege(c.oid, 'SELECT') AND NOT EXISTS (
              SELECT FROM pg_class v WHERE v.relnamespace = n.oid AND v.relname = :version))
        ORDER BY n.nspname = version.schema DESC, array_position(current_schemas(false), n.nspname), n.nspname LIMIT 1
    )
    SELECT coalesce(found.schema, version.schema), found.schema IS NOT NULL FROM version LEFT JOIN found ON true
    """
)


class Standing(NamedTuple):
    """The schema of a table of the migrations, and whether it is there already."""

    schema: str
    exists: bool


def standing(connection: Connection, table: str, version_schema: str | None = None) -> Standing:
    """Where `table` stands, or would be made; `version_schema` is Alembic's `version_table_schema`.

    One query, which reads only the catalogue. An existing table is found in any schema that has no version table of
    its own. Raises `sqlalchemy.exc.DBAPIError`.
    """
    names = {"table": table, "version": VERSION_TABLE, "schema": version_schema}
    return Standing(*connection.execute(_STANDING, names).one())


async def stands(connection: AsyncConnection, table: str, version_schema: str | None = None) -> Standing:
    """The same on an asynchronous connection."""
    return await connection.run_sync(standing, table, version_schema)
