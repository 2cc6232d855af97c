"""Where the migrations' own tables stand: beside the version table, and addressed by that schema.

The search_path is no address. A schema that a revision makes may come first on it from then on, because it is called
like the role ("$user"), or because ALTER ROLE or ALTER DATABASE names it: a name without schema would then mean another
table than before, and a table that is made by such a name lands among the tables of the project.
"""

import logging
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import TIMESTAMP, ColumnElement, Connection, Dialect, TypeDecorator, extract, text, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger("alembic.runtime.migration")

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

# Tables of ours too: PostgreSQL leaves none out before version 19. A subscriber that gets a row of a table that it does
# not have stops until it has it, and then goes on with nothing lost.
SENDS_NEW_TABLES = text(
    """
    SELECT DISTINCT pubname::text FROM pg_publication p LEFT JOIN pg_publication_namespace ON pnpubid = p.oid
    WHERE puballtables OR pnnspid = to_regnamespace(quote_ident(:schema)) ORDER BY 1
    """
)
SENT_AT_ALL = text(
    """
    SELECT current_setting('wal_level') = 'logical'
    AND to_regclass(format('%I.%I', CAST(:schema AS text), CAST(:name AS text))) IS NULL
    AND EXISTS (SELECT FROM pg_replication_slots WHERE slot_type = 'logical' AND database = current_database())
    """
)


class Moment(TypeDecorator[datetime]):
    """A timestamptz, read in UTC and as a number: psycopg reads its text in DateStyle ISO alone."""

    impl = TIMESTAMP(timezone=True)
    cache_ok = True

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return type_coerce(extract("epoch", column), self)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(float(value), UTC)


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


async def warn_of_subscribers(connection: AsyncConnection, table: str, schema: str) -> None:
    """Say which publications will send a table of ours that is to be made now, and what their subscribers need."""
    if not await connection.scalar(SENT_AT_ALL, {"schema": schema, "name": table}):
        return
    for publication in (await connection.scalars(SENDS_NEW_TABLES, {"schema": schema})).all():
        log.warning(
            "Publication %s sends the new table %s.%s: a subscriber that has no such table stops until it has. Make it"
            " there: pg_dump --schema-only --table=%s.%s ... | psql ...",
            *(publication, schema, table, schema, table),
        )


async def stands(connection: AsyncConnection, table: str, version_schema: str | None = None) -> Standing:
    """The same on an asynchronous connection."""
    return await connection.run_sync(standing, table, version_schema)
