"""What a server or a network says, in our words: which place, which role, and what to do next."""

import socket
import ssl

import asyncpg
from sqlalchemy.exc import PendingRollbackError

from src.postgres import sqlstate as state
from src.postgres.errors import AccessRefused, InvalidURL, ServerUnfit, ServerUnreachable, UserError
from src.postgres.url import DatabaseURL


def explain_connection(error: Exception, target: DatabaseURL) -> UserError | None:
    """The user's error for what `connect` raised, or None if it is not one of server, network or rights."""
    code = state.sqlstate(error) or _libpq_code(str(error))
    if code is not None:
        return _refused(code, error, target.place, target.source) or _unfit(code, error, target.place)
    return _not_reached(error, target)


def explain_statement(error: Exception, place: str, source: str) -> UserError | None:
    """The user's error for what a statement raised, or None if the server complains of the statement itself."""
    code = state.sqlstate(error)
    if code is None:
        return _lost("its server session has ended", place) if _is_lost(error) else None
    return _refused(code, error, place, source) or _unfit(code, error, place)


# libpq reports a refused connection as text alone, without its SQLSTATE.
_LIBPQ_SAYS = {
    "password authentication failed": state.INVALID_PASSWORD,
    "no password supplied": state.INVALID_PASSWORD,
    'FATAL:  database "': state.INVALID_CATALOG_NAME,
    'FATAL:  role "': state.INVALID_AUTHORIZATION,
    "pg_hba.conf": state.INVALID_AUTHORIZATION,
    "FATAL:  too many connections": state.TOO_MANY_CONNECTIONS,
    "FATAL:  sorry, too many clients": state.TOO_MANY_CONNECTIONS,
    "FATAL:  the database system is": state.CANNOT_CONNECT_NOW,
}


def _libpq_code(says: str) -> str | None:
    return next((code for part, code in _LIBPQ_SAYS.items() if part in says), None)


def _refused(code: str, error: Exception, place: str, source: str) -> AccessRefused | None:
    says = state.server_message(error)
    if code == state.INVALID_PASSWORD:
        return AccessRefused(f"The password was refused by {place}.", f"Correct the password in {source}.")
    if code == state.INVALID_CATALOG_NAME:
        return AccessRefused(f"There is no {place}.", f"Make it (createdb), or correct the name in {source}.")
    if code == state.INVALID_AUTHORIZATION and "encryption" in says:
        return _tls(place, source, says)  # pg_hba.conf has the role for TLS only, or for no TLS only
    if code == state.INVALID_AUTHORIZATION:
        return AccessRefused(
            f"The role was refused by {place}: {says}.", f"Correct the role in {source}, or create it."
        )
    if code == state.INSUFFICIENT_PRIVILEGE:
        return AccessRefused(
            f"A right is missing in {place}: {says}.",
            "Ask the owner for it (GRANT ...), or use a role that has it; MIGRATION_DATABASE_URL may name one.",
        )
    return None


def _unfit(code: str, error: Exception, place: str) -> UserError | None:
    says = state.server_message(error)
    match code:
        case state.CANNOT_CONNECT_NOW:
            return ServerUnreachable(
                f"The server is not ready: {says} ({place}).",
                "Wait until it accepts connections and try again.",
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


def _tls(place: str, source: str, says: str) -> AccessRefused:
    wanted = "sslmode=disable" if "SSL encryption" in says and "no encryption" not in says else "sslmode=require"
    return AccessRefused(f"The server wants another TLS setting for {place}: {says}.", f"Add ?{wanted} to {source}.")


def _not_reached(error: Exception, target: DatabaseURL) -> UserError | None:
    place, source = target.place, target.source
    for cause in state.causes(error):
        match cause:
            case socket.gaierror():
                return _unknown_host(target)
            case ssl.SSLError():
                problem = f"TLS fails for {place}: {cause.reason or cause}."
                return ServerUnreachable(problem, f"Correct sslmode, sslrootcert or the host name in {source}.")
            case asyncpg.ClientConfigurationError():
                problem = f"{source} cannot be used: {str(cause).splitlines()[0].rstrip('.')}."
                return InvalidURL(problem, "Correct the parameter that it names.")
            case _ if isinstance(cause, TimeoutError) or _psycopg_class(cause) == "ConnectionTimeout":
                problem = f"No answer within {target.connect_timeout:.0f} s from {place}."
                return ServerUnreachable(
                    problem, f"Check host, port and firewall; ?connect_timeout=... in {source} waits longer."
                )
            case FileNotFoundError() if not target.host.startswith("/"):
                return InvalidURL(
                    f"{source} names a file that is not there.", "Correct sslrootcert, sslcert or sslkey."
                )
            case _ if isinstance(cause, OSError) or _psycopg_class(cause) == "OperationalError":
                return _no_connection(str(cause), target)
    return None


def _psycopg_class(error: BaseException) -> str:
    """By name, so that psycopg need not be imported where asyncpg is used."""
    return type(error).__name__ if type(error).__module__.startswith("psycopg") else ""


def _no_connection(says: str, target: DatabaseURL) -> ServerUnreachable:
    if "SSL upgrade" in says and not target.requires_tls:
        remedy = f"Correct host and port in {target.source}."
        return ServerUnreachable(f"What answers there is not PostgreSQL: {target.place}.", remedy)
    if "SSL upgrade" in says or "does not support SSL" in says:
        return ServerUnreachable(
            f"The server has no TLS, and {target.source} requires it ({target.place}).",
            f"Turn on TLS in the server, or write sslmode=disable in {target.source} if the network is trusted.",
        )
    if "resolve host" in says:
        return _unknown_host(target)
    remedy = f"Start the server, or correct host and port in {target.source}."
    return ServerUnreachable(f"Nobody answers for {target.place}.", remedy)


def _unknown_host(target: DatabaseURL) -> ServerUnreachable:
    return ServerUnreachable(
        f"The host is not known: {target.place}.",
        f"Correct the host in {target.source}. If the password holds an @, write it as %40.",
    )
