"""The server: its version, its limits, the role's rights, poolers, replicas, old transactions."""

from collections.abc import Iterator

from sqlalchemy import Connection, Row, text

from alembic_online.postgres.declared import Extension, release
from alembic_online.review.doctor.finding import Finding, fine, note, wrong

_SERVER = text(
    """
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int / 10000 AS major,
           pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::bool AS read_only,
           pg_size_pretty(pg_database_size(current_database())) AS size,
           current_setting('max_connections')::int AS connections,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
           pg_backend_pid() AS pid
    """
)
_ROLE = text(
    """
    SELECT rolname AS name, rolsuper AS superuser, rolcreatedb AS may_make_databases,
           pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all,
           pg_has_role(current_user, 'pg_signal_backend', 'USAGE') AS may_end,
           has_schema_privilege(current_schema(), 'CREATE') AS may_create, current_schema() AS schema
    FROM pg_roles WHERE rolname = current_user
    """
)
_LIMITS = text(
    """
    SELECT name, setting, source FROM pg_settings
    WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
      AND setting <> '0' ORDER BY name
    """
)
_EXTENSION = text(
    """
    SELECT a.default_version AS offered, e.extversion AS installed
    FROM pg_available_extensions a LEFT JOIN pg_extension e ON e.extname = a.name WHERE a.name = :name
    """
)
_OLD = text(
    """
    SELECT pid, coalesce(usename, '') AS role, coalesce(application_name, '') AS application, state,
           extract(epoch FROM now() - xact_start)::int AS seconds
    FROM pg_stat_activity WHERE xact_start < now() - interval '1 minute' AND pid <> pg_backend_pid()
      AND backend_type = 'client backend' ORDER BY xact_start LIMIT 3
    """
)
_PREPARED = text("SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()")
_SLOTS = text(
    """
    SELECT slot_name::text, pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) AS behind
    FROM pg_replication_slots WHERE NOT active AND restart_lsn IS NOT NULL
    """
)


def server(connection: Connection, announced_pid: int | None) -> Iterator[Finding]:
    """What the server is, and what the role may do. `announced_pid` is what the driver was told when it connected."""
    found = connection.execute(_SERVER).one()
    if found.major < 16:
        yield wrong("PostgreSQL", f"{found.version} is too old.", "Use 16 or newer.")
    else:
        yield fine("PostgreSQL", f"{found.version}, the database has {found.size}")
    if found.standby or found.read_only:
        yield wrong("PostgreSQL", "This is a standby, or read-only.", "Name the primary in MIGRATION_DATABASE_URL.")
    if announced_pid is not None and announced_pid != found.pid:
        remedy = "Name the server itself in MIGRATION_DATABASE_URL: session locks need a session."
        yield note("pooler", "Between here and the server is a pooler.", remedy)
    if found.used > 0.9 * found.connections:
        yield wrong("connections", f"{found.used} of {found.connections} are in use.", "A migration needs two.")
    yield from _role(connection.execute(_ROLE).one())
    yield from _limits(connection)
    yield from _old_transactions(connection)
    if not found.standby:
        yield from _slots(connection)


def _role(role: Row[tuple[object, ...]]) -> Iterator[Finding]:
    about = f"role {role.name}"
    if not role.may_create:
        yield wrong(about, f"may not create in schema {role.schema}.", f"GRANT CREATE ON SCHEMA {role.schema} TO ...;")
    if not role.sees_all:
        yield note(about, "does not see who holds a lock.", f"GRANT pg_read_all_stats TO {role.name};")
    if not role.may_end:
        yield note(about, "may not end other roles' sessions.", f"GRANT pg_signal_backend TO {role.name};")
    if not role.may_make_databases:
        yield note(about, "may not make scratch databases: autogenerate starts a server of its own for them.")
    if role.superuser:
        yield note(about, "is a superuser; a migration needs none.")


def _limits(connection: Connection) -> Iterator[Finding]:
    for name, setting, source in connection.execute(_LIMITS):
        yield note(str(name), f"is {setting} ms, from {source}; a migration sets its own.")


def _old_transactions(connection: Connection) -> Iterator[Finding]:
    for old in connection.execute(_OLD):
        words = f"pid {old.pid} ({old.role} {old.application}, {old.state}) has been open for {old.seconds} s."
        yield wrong("old transaction", words, f"See: python -m alembic_online blockers --end {old.pid}")
    if prepared := connection.scalar(_PREPARED):
        remedy = "COMMIT PREPARED or ROLLBACK PREPARED: see pg_prepared_xacts."
        yield wrong("prepared transactions", f"{prepared} hold their locks until somebody ends them.", remedy)


def _slots(connection: Connection) -> Iterator[Finding]:
    for name, behind in connection.execute(_SLOTS):
        remedy = f"Start its replica, or SELECT pg_drop_replication_slot('{name}');"
        yield wrong("replication slot", f"{name} is not read, and keeps {behind} of WAL on the disk.", remedy)


def extension(connection: Connection, wanted: Extension) -> Finding:
    """Whether the server has it, new enough."""
    about = f"extension {wanted.name}"
    found = connection.execute(_EXTENSION, {"name": wanted.name}).one_or_none()
    if found is None:
        return wrong(about, "is not on this server.", "Install its package on the server's machine.")
    if found.installed is None:
        return note(about, f"is offered as {found.offered}, and not created yet.", "alembic upgrade head")
    if wanted.minimum_version and release(found.installed) < release(wanted.minimum_version):
        words = f"{found.installed} is older than {wanted.minimum_version}."
        return wrong(about, words, f"ALTER EXTENSION {wanted.name} UPDATE;")
    return fine(about, str(found.installed))
