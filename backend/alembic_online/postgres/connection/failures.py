"""What a server or a network says, in our words: which place, which role, and what to do next."""

from sqlalchemy.exc import PendingRollbackError

from alembic_online.postgres import sqlstate as state
from alembic_online.postgres.connection.libpq_messages import own_words, refusal_state
from alembic_online.postgres.connection.network_failures import explain_unreachable
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.errors import AccessRefused, InvalidURL, ServerUnfit, ServerUnreachable, UserError


def explain_connection(error: Exception, target: DatabaseURL) -> UserError:
    """The user's error for what `connect` raised, whatever it is; also for the first statement on a connection."""
    code, place, source = refusal_state(error), target.place, target.source
    if code is None:
        return explain_unreachable(error, target) or _otherwise(error, place, source)
    known = _refused(code, error, place, source) or _unfit(code, error, place)
    return known or _bad_parameter(code, error, place, source) or _otherwise(error, place, source)


def explain_statement(error: Exception, place: str, source: str) -> UserError | None:
    """The user's error for what a statement raised, or None if the server complains of the statement itself."""
    code = state.sqlstate(error)
    if code is None:
        return _lost("its server session has ended", place) if _is_lost(error) else None
    return _refused(code, error, place, source) or _unfit(code, error, place)


def _refused(code: str, error: Exception, place: str, source: str) -> AccessRefused | None:
    says = state.server_message(error)
    if code == state.INVALID_PASSWORD:
        return AccessRefused(f"The password was refused by {place}.", f"Correct the role or its password in {source}.")
    if code == state.INVALID_CATALOG_NAME:
        return AccessRefused(f"There is no {place}.", f"Make it (createdb), or correct the name in {source}.")
    if code == state.OBJECT_NOT_IN_PREREQUISITE_STATE and "connections" in says:
        return AccessRefused(
            f"The database lets nobody in: {says} ({place}).",
            f"Open it (ALTER DATABASE ... ALLOW_CONNECTIONS true), or correct the name in {source}.",
        )
    if code == state.INVALID_AUTHORIZATION:
        return AccessRefused(f"The role was refused by {place}: {says}.", _way_in(says, source))
    if code == state.INSUFFICIENT_PRIVILEGE:
        return AccessRefused(
            f"A right is missing in {place}: {says}.",
            "Ask the owner for it (GRANT ...), or use a role that has it; MIGRATION_DATABASE_URL may name one.",
        )
    return None


def _way_in(says: str, source: str) -> str:
    """What lets a role in that was refused. To take TLS away is never the answer."""
    if "pg_hba.conf" in says and "no encryption" in says:
        return f"Write sslmode=require in {source}, or ask the server's administrator for a line in pg_hba.conf."
    if "pg_hba.conf" in says:
        return "Ask the server's administrator for a line in pg_hba.conf."
    if "client certificate" in says:
        return f"Name one in {source} (sslcert=..., sslkey=...)."
    if "Peer authentication" in says or "Ident authentication" in says:
        return "Run it as the system's user of that name, or ask for a line in pg_hba.conf with another method."
    return f"Correct the role in {source}, or create it."


def _bad_parameter(code: str, error: Exception, place: str, source: str) -> InvalidURL | None:
    if code not in (state.INVALID_PARAMETER_VALUE, state.SYNTAX_ERROR, state.UNDEFINED_OBJECT) or _has_statement(error):
        return None
    return InvalidURL(
        f"{source} has a parameter that was refused: {state.server_message(error)} ({place}).",
        "Correct it or leave it out; a PgBouncer lets through what its ignore_startup_parameters names.",
    )


def _otherwise(error: Exception, place: str, source: str) -> UserError:
    if _has_statement(error):
        return ServerUnreachable(
            f"A question to the server failed: {own_words(error)} ({place}).", "Look into the server's log."
        )
    return AccessRefused(
        f"The connection was refused: {own_words(error)} ({place}).",
        f"Correct {source}, or look into the log of the server, or of the pooler before it.",
    )


def _has_statement(error: Exception) -> bool:
    return getattr(error, "statement", None) is not None


def _unfit(code: str, error: Exception, place: str) -> UserError | None:
    says = state.server_message(error)
    match code:
        case state.CANNOT_CONNECT_NOW:
            return ServerUnreachable(
                f"The server is not ready: {says} ({place}).",
                "Wait until it accepts connections and try again.",
            )
        case state.UNABLE_TO_CONNECT:
            return ServerUnreachable(
                f"The pooler does not reach the server: {says} ({place}).",
                "Start the server behind it, or correct its address and its role in the pooler's configuration.",
            )
        case state.TOO_MANY_CONNECTIONS:
            return ServerUnfit(
                f"No connection is free: {says} ({place}).",
                "End idle sessions (SELECT * FROM pg_stat_activity), or raise max_connections or the role's limit.",
            )
        case state.READ_ONLY_TRANSACTION:
            return ServerUnfit(
                f"The server is read-only: {says} ({place}).",
                "Point MIGRATION_DATABASE_URL at the primary, or end default_transaction_read_only.",
            )
        case state.DISK_FULL:
            return ServerUnfit(
                f"The server's disk is full: {says} ({place}).", "Free space there and run the same command again."
            )
        case state.DUPLICATE_PREPARED_STATEMENT | state.INVALID_STATEMENT_NAME:
            return behind_transaction_pooler(place)
        case state.ADMIN_SHUTDOWN | state.CRASH_SHUTDOWN | state.CONNECTION_DOES_NOT_EXIST | state.CONNECTION_FAILURE:
            return _lost(says, place)
        case _:
            return None


def _is_lost(error: Exception) -> bool:
    """Whether the driver found the connection closed before the server could tell it why."""
    found = state.causes(error)
    return any(getattr(cause, "connection_invalidated", isinstance(cause, PendingRollbackError)) for cause in found)


def _lost(says: str, place: str) -> ServerUnreachable:
    return ServerUnreachable(
        f"The connection was lost: {says} ({place}).",
        "When the server is back, run the same command again: what is done stays, the rest is made up for.",
    )


def behind_transaction_pooler(place: str) -> ServerUnfit:
    """Locks and settings of a session get lost there: each transaction may land on another server connection."""
    return ServerUnfit(
        f"A pooler in transaction mode stands before {place}, and a migration needs one session of its own.",
        "Set MIGRATION_DATABASE_URL to the server's direct URL (usually port 5432); DATABASE_URL may stay as it is.",
    )
