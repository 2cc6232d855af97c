"""What is looked at before anything is changed: can this server, role and database carry the migration?"""

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, String, column, inspect, select, table, text

from alembic_online.errors import DatabaseMismatch, RequestRefused
from alembic_online.policy import Policy
from alembic_online.postgres.declared import Extension, declared, release
from alembic_online.postgres.errors import AccessRefused, ServerUnfit
from alembic_online.review.long_ids import check_ids
from alembic_online.revisions.checksums import report_edited
from alembic_online.revisions.graph import known_ids
from alembic_online.revisions.named_schemas import made_by_revisions
from alembic_online.runtime.bookkeeping import VERSION_TABLE, standing
from alembic_online.runtime.current_command import Command
from alembic_online.runtime.pending_detach import refuse_pending_detach
from alembic_online.text import listed

OLDEST_SERVER = 16
_PACKAGES = {"vector": "package pgvector, or postgresql-NN-pgvector"}

_SERVER = text(
    """
    SELECT current_setting('server_version_num')::int / 10000 AS version,
           current_setting('server_version') AS full_version,
           current_setting('transaction_read_only')::bool AS read_only,
           current_schema() AS schema, has_schema_privilege(current_schema(), 'CREATE') AS may_create,
           quote_ident(current_schema()) AS schema_name, quote_ident(current_user) AS role_name,
           current_user AS role, current_database() AS database
    """
)
_TABLES = text(
    """
    SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
      AND relname = ANY (CAST(:names AS text[])) ORDER BY 1
    """
)
_VERSION_TABLES = text(
    """
    SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = :table AND c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'SELECT')
      AND has_schema_privilege(n.oid, 'USAGE') AND n.nspname <> ALL (current_schemas(false)) ORDER BY 1
    """
)
_EXTENSION = text(
    """
    SELECT r.rolname AS role, e.extversion AS installed, a.default_version AS available,
           coalesce(r.rolsuper OR NOT v.superuser OR v.trusted, false) AS may_create,
           n.nspname AS schema, n.nspname = ANY (current_schemas(true)) AS visible,
           quote_ident(n.nspname) AS schema_name, quote_ident(r.rolname) AS role_name
    FROM pg_roles r
    LEFT JOIN pg_available_extensions a ON a.name = :name
    LEFT JOIN pg_available_extension_versions v ON v.name = a.name AND v.version = a.default_version
    LEFT JOIN pg_extension e ON e.extname = :name
    LEFT JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE r.rolname = current_user
    """
)


def check_database(
    connection: Connection, migration_context: MigrationContext, metadata: MetaData, command: Command, policy: Policy
) -> None:
    """Raise `ServerUnfit`, `AccessRefused` or `DatabaseMismatch` where the command could only fail, or do harm.

    Also reports revisions that were edited after they were applied, and raises `BrokenChain` if the policy wants that.
    """
    if "" in command.destination:  # a variable that is not set; Alembic fails on an assertion
        raise RequestRefused("The name of the revision to go to is empty.", "Name one, or head: alembic history")
    if command.name == "downgrade":
        _check_consent(command, policy)
    _check_server(connection, command)
    if command.name in ("check", "revision"):
        refuse_pending_detach(connection)
    command.heads_seen = migration_context.get_current_heads()
    if command.name in ("upgrade", "stamp"):
        check_ids(connection, migration_context, command.scripts)
    if command.name == "upgrade":
        _check_version_table(connection, command, metadata)
        for extension in declared(metadata):
            if isinstance(extension, Extension):
                _check_extension(connection, extension)
    if command.name in ("upgrade", "check"):
        version_schema = migration_context.version_table_schema
        report_edited(connection, version_schema, command.heads_seen, command.scripts, policy)


def _check_consent(command: Command, policy: Policy) -> None:
    unknown = {*policy.data_loss_allowed} - {"true"} - known_ids(command.scripts)
    if unknown:
        raise RequestRefused(
            f"MIGRATION_ALLOW_DATA_LOSS names {listed(sorted(unknown))}, and no revision is called so.",
            "Write whole ids, with commas between them: alembic history",
        )


def _check_server(connection: Connection, command: Command) -> None:
    server = connection.execute(_SERVER).one()
    if server.version < OLDEST_SERVER:
        raise ServerUnfit(
            f"The server is PostgreSQL {server.full_version}, and {OLDEST_SERVER} is the oldest that this works with.",
            f"Use PostgreSQL {OLDEST_SERVER} or newer; the embedded one is there when DATABASE_URL is not set.",
        )
    if not command.changes_database:
        return
    if server.read_only:
        raise ServerUnfit(
            f"The database {server.database!r} is read-only: a standby, or default_transaction_read_only is on.",
            "Point MIGRATION_DATABASE_URL at the primary, or turn the setting off for this role.",
        )
    if server.schema is None:
        raise AccessRefused(
            f"The search_path of the role {server.role!r} in {server.database!r} leads to no schema.",
            f"Make one (CREATE SCHEMA public), or set it: ALTER ROLE {server.role} SET search_path = ...",
        )
    if not server.may_create:
        raise AccessRefused(
            f"The role {server.role!r} may not create anything in the schema {server.schema!r} of {server.database!r}.",
            f"Ask its owner for: GRANT CREATE, USAGE ON SCHEMA {server.schema_name} TO {server.role_name}",
        )


def _check_version_table(connection: Connection, command: Command, metadata: MetaData) -> None:
    if command.heads_seen:
        return
    _check_search_path(connection, command, metadata)
    names = [table.name for table in metadata.tables.values() if table.schema is None]
    mine = list(connection.scalars(_TABLES, {"names": names})) if names else []
    # A chain may begin where the project was older than its revisions: of tables that it does not make, it knows.
    if mine and made_by_revisions(command.scripts, mine):
        raise DatabaseMismatch(
            f"The database has tables of this project, and no revision ({len(mine)} tables, {mine[0]} among them).",
            "Which revision they equal, and the stamp: alembic-online adopt\n"
            "If they may go, drop them, then run the same command again.",
        )


def _check_search_path(connection: Connection, command: Command, metadata: MetaData) -> None:
    """A project that names all its schemas has one version table, which the path may have ceased to lead to."""
    tables = metadata.tables.values()
    if any(each.schema is None for each in tables) or standing(connection, VERSION_TABLE).exists:
        return
    if not any(inspect(connection).has_table(each.name, schema=each.schema) for each in tables):
        return
    for schema in connection.scalars(_VERSION_TABLES, {"table": VERSION_TABLE}).all():
        versions = select(column("version_num", String)).select_from(table(VERSION_TABLE, schema=schema))
        if set(connection.scalars(versions)) & known_ids(command.scripts):
            raise DatabaseMismatch(
                f"The version table is in the schema {schema!r}, and the search_path does not lead there.",
                f"Add it to the search_path: ALTER ROLE ... (or ALTER DATABASE ...) SET search_path = ..., {schema}",
            )


def _check_extension(connection: Connection, extension: Extension) -> None:
    found = connection.execute(_EXTENSION, {"name": extension.name}).one()
    name, minimum = extension.name, extension.minimum_version or "0"
    if found.installed is None and found.available is None:
        raise ServerUnfit(
            f"The server does not have the extension {name!r}.",
            f"Install it on the server's machine ({_PACKAGES.get(name, name)}), then run the same command again.",
        )
    if found.installed is not None and release(found.installed) < release(minimum):
        raise ServerUnfit(
            f"The database has {name} {found.installed}, and {minimum} is the oldest that the models work with.",
            f"Run: ALTER EXTENSION {name} UPDATE (the server offers {found.available}).",
        )
    if found.visible is False:
        raise ServerUnfit(
            f"The extension {name!r} is in the schema {found.schema!r}, and the search_path does not lead there.",
            f"Run: ALTER ROLE {found.role_name} SET search_path = public, {found.schema_name}\n"
            f"Or move it: ALTER EXTENSION {name} SET SCHEMA public",
        )
    if found.installed is None and release(found.available) < release(minimum):
        raise ServerUnfit(
            f"The server offers {name} {found.available}, and {minimum} is the oldest that the models work with.",
            f"Install a newer one on the server's machine ({_PACKAGES.get(name, name)}).",
        )
    if found.installed is None and not found.may_create:
        raise AccessRefused(
            f"The role {found.role!r} may not create the extension {name!r}.",
            f"Ask an administrator to run this once in the database: CREATE EXTENSION {name}",
        )
