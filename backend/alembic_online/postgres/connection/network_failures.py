"""Where no server was reached, or none that could be talked to: what network, TLS or driver says, in our words."""

import errno
import os
import socket
import ssl

import asyncpg

from alembic_online.postgres import sqlstate as state
from alembic_online.postgres.connection.libpq_messages import own_words
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.errors import InvalidURL, ServerUnfit, ServerUnreachable, UserError

_OTHER_SESSION = ("session is not read-only", "session is read-only", "hot standby mode", "target attribute")
_TLS = ("certificate", "SSL error", "SSL SYSCALL", "channel binding")


def explain_unreachable(error: BaseException, target: DatabaseURL) -> UserError | None:
    """The user's error for a failure that no server reported, or None if it is not one of network, TLS or driver."""
    for cause in state.causes(error):
        match cause:
            case socket.gaierror():
                return _unknown_host(target)
            case ssl.SSLError():
                return _tls_fails(getattr(cause, "verify_message", "") or cause.reason or str(cause), target)
            case asyncpg.ClientConfigurationError():
                return _unusable(str(cause).splitlines()[0], target)
            case asyncpg.InternalClientError():
                return _from_driver(str(cause), own_words(cause), target)
            case _ if isinstance(cause, TimeoutError) or _psycopg_class(cause) == "ConnectionTimeout":
                return _too_late(target)
            case FileNotFoundError() if not target.host.startswith("/"):
                return InvalidURL(
                    f"{target.source} names a file that is not there.", "Correct sslrootcert, sslcert or sslkey."
                )
            case OSError():
                return _from_system(cause, target)
            case _ if _psycopg_class(cause) == "ProgrammingError":
                return _unusable("libpq cannot read it", target)  # its own words would show the password
            case _ if _psycopg_class(cause) == "OperationalError":
                return _from_driver(str(cause), own_words(cause), target)
    return None


def _psycopg_class(error: BaseException) -> str:
    """By name, so that psycopg need not be imported where asyncpg is used."""
    return type(error).__name__ if type(error).__module__.startswith("psycopg") else ""


def _from_system(error: OSError, target: DatabaseURL) -> ServerUnreachable:
    text = str(error)
    if "SSL upgrade" in text:  # asyncpg says it of an answer that is no and of one that is not PostgreSQL's
        return _no_tls(target) if target.requires_tls else _not_postgresql(target)
    # Of several addresses asyncio keeps the words, not the number.
    if error.errno == errno.ECONNREFUSED or f"[Errno {errno.ECONNREFUSED}]" in text:
        return _nobody(target)
    if error.errno == errno.ENOENT:
        return _nobody(target, os.strerror(errno.ENOENT))
    return _failed(error.strerror or text or "it was closed at once", target)


def _from_driver(text: str, says: str, target: DatabaseURL) -> UserError:
    """`text` is all that libpq (or asyncpg) writes, `says` its own words without the address."""
    if "does not support SSL" in text:
        return _no_tls(target)
    if "resolve host" in text:
        return _unknown_host(target)
    if "invalid response to SSL negotiation" in text:
        return _not_postgresql(target)
    if 'certificate file "' in text or 'private key file "' in text:
        return _unusable(says, target)
    if any(part in text for part in _TLS):
        return _tls_fails(says, target)
    if any(part in text for part in _OTHER_SESSION):
        return _other_session(target)
    if text.startswith("connection is bad: ") and "connection to server" not in text:
        return _unusable(says, target)  # libpq had not begun to connect
    if "Connection refused" in text:
        return _nobody(target)
    return _nobody(target, says) if "No such file or directory" in text else _failed(says, target)


def _nobody(target: DatabaseURL, says: str = "") -> ServerUnreachable:
    return ServerUnreachable(
        f"Nobody answers for {target.place}{says and ': '}{says}.",
        f"Start the server, or correct host and port in {target.source}.",
    )


def _failed(says: str, target: DatabaseURL) -> ServerUnreachable:
    return ServerUnreachable(
        f"The connection failed: {says} ({target.place}).",
        f"Correct host and port in {target.source}, or ask who runs the network and the server.",
    )


def _too_late(target: DatabaseURL) -> ServerUnreachable:
    return ServerUnreachable(
        f"No answer within {target.connect_timeout:.0f} s from {target.place}.",
        f"Check host, port and firewall; ?connect_timeout=... in {target.source} waits longer.",
    )


def _unknown_host(target: DatabaseURL) -> ServerUnreachable:
    return ServerUnreachable(
        f"The host is not known: {target.place}.",
        f"Correct the host in {target.source}. If the password holds an @, write it as %40.",
    )


def _unusable(why: str, target: DatabaseURL) -> InvalidURL:
    return InvalidURL(f"{target.source} cannot be used: {why.rstrip('.')}.", "Correct what it names.")


def _tls_fails(says: str, target: DatabaseURL) -> ServerUnreachable:
    return ServerUnreachable(
        f"TLS fails for {target.place}: {says.rstrip('.')}.",
        f"Correct sslmode, sslrootcert or the host name in {target.source}.",
    )


def _no_tls(target: DatabaseURL) -> ServerUnreachable:
    return ServerUnreachable(
        f"The server has no TLS, and {target.source} requires it ({target.place}).",
        f"Turn on TLS in the server, or write sslmode=disable in {target.source} if the network is trusted.",
    )


def _not_postgresql(target: DatabaseURL) -> ServerUnreachable:
    return ServerUnreachable(
        f"What answers there is not PostgreSQL: {target.place}.", f"Correct host and port in {target.source}."
    )


def _other_session(target: DatabaseURL) -> ServerUnfit:
    return ServerUnfit(
        f"No server there is what target_session_attrs asks for ({target.place}).",
        f"Correct target_session_attrs in {target.source}, or name a host that is; a migration needs the primary.",
    )
