"""Where a type, function or operator class is that PostgreSQL did not find: in another schema, or in an extension."""

import re

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from alembic_online.postgres import sqlstate as state

_SAID = re.compile(
    r"(?P<kind>type|function|operator class|operator|relation|collation|text search configuration)"
    r' "?(?:[^\s".(]+\.)?(?P<name>[^\s"(]+)"?(?:\(.*?\))?(?: for access method "\w+")? does not exist'
)
_STATES = (state.UNDEFINED_OBJECT, state.UNDEFINED_FUNCTION, state.UNDEFINED_TABLE)
_FOUND = text(
    """
    WITH found (kind, class, id, namespace) AS (
        SELECT 'type', 'pg_type'::regclass, oid, typnamespace FROM pg_type WHERE typname = :name
        UNION ALL SELECT 'function', 'pg_proc'::regclass, oid, pronamespace FROM pg_proc WHERE proname = :name
        UNION ALL SELECT 'operator', 'pg_operator'::regclass, oid, oprnamespace FROM pg_operator WHERE oprname = :name
        UNION ALL SELECT 'operator class', 'pg_opclass'::regclass, oid, opcnamespace FROM pg_opclass
            WHERE opcname = :name
        UNION ALL SELECT 'collation', 'pg_collation'::regclass, oid, collnamespace FROM pg_collation
            WHERE collname = :name
        UNION ALL SELECT 'text search configuration', 'pg_ts_config'::regclass, oid, cfgnamespace FROM pg_ts_config
            WHERE cfgname = :name
        UNION ALL SELECT 'relation', 'pg_class'::regclass, oid, relnamespace FROM pg_class WHERE relname = :name
    )
    SELECT quote_ident(n.nspname) AS schema, e.extname::text AS extension, current_setting('search_path') AS path,
        quote_ident(current_user) AS role
    FROM found f JOIN pg_namespace n ON n.oid = f.namespace
    LEFT JOIN pg_depend d ON d.classid = f.class AND d.objid = f.id AND d.deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = d.refobjid
    WHERE f.kind = :kind AND n.nspname <> ALL (current_schemas(true)) ORDER BY e.extname NULLS LAST, 1 LIMIT 1
    """
)
_OFFERED = text(
    """
    SELECT name::text FROM pg_available_extensions WHERE name = :extension AND installed_version IS NULL
    """
)
_EXTENSIONS = {
    "halfvec": "vector",
    "sparsevec": "vector",
    "gin_trgm_ops": "pg_trgm",
    "gist_trgm_ops": "pg_trgm",
    "similarity": "pg_trgm",
    "uuid_generate_v4": "uuid-ossp",
    "gen_random_bytes": "pgcrypto",
    "geometry": "postgis",
    "geography": "postgis",
}
"""Names by which their extension is not called. Those of pgvector's operator classes begin with its types."""


def note_where_it_is(error: DBAPIError, connection: Connection) -> None:
    """Add a note to `error` that says where it is what was not found; nothing where nobody knows.

    `connection` is in no failed transaction, else nothing is added.
    """
    alone = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    if state.sqlstate(error) not in _STATES or (connection.in_transaction() and not alone):
        return
    if (said := _SAID.search(state.server_message(error))) is None:
        return
    try:
        note = _where(connection, said["kind"], said["name"])
    except SQLAlchemyError:
        return  # the refusal itself is what matters; it is on its way to the user
    finally:
        connection.rollback()
    if note:
        error.add_note(note)


def _where(connection: Connection, kind: str, name: str) -> str:
    found = connection.execute(_FOUND, {"name": name, "kind": kind}).one_or_none()
    if found is not None:
        of = f" (extension {found.extension})" if found.extension else ""
        return (
            f"The {kind} {name}{of} is in the schema {found.schema}, and the search_path does not lead there.\n"
            f"Run: ALTER ROLE {found.role} SET search_path = {found.path}, {found.schema}"
        )
    extension = _EXTENSIONS.get(name) or ("vector" if re.match(r"(half|sparse)?vec(tor)?_", name) else name)
    if connection.scalar(_OFFERED, {"extension": extension}):
        return f"The extension {extension} makes it, and this database does not have it: CREATE EXTENSION {extension}"
    return ""
