"""What a refusal means that comes as text: libpq gives no SQLSTATE, and PgBouncer has one for everything (08P01).

Source: PostgreSQL 16 to 18 (postinit.c, auth.c, fe-connect.c) and PgBouncer 1.18 to 1.25.
"""

import re

from alembic_online.postgres import sqlstate as state

# The first part that occurs decides: a longer story stands before a name that may occur in it.
_STATES = {
    "password authentication failed": state.INVALID_PASSWORD,
    "SASL authentication failed": state.INVALID_PASSWORD,
    "no password supplied": state.INVALID_PASSWORD,
    "authentication failed": state.INVALID_AUTHORIZATION,  # Peer, Ident, "trust"
    "valid client certificate": state.INVALID_AUTHORIZATION,
    "pg_hba.conf": state.INVALID_AUTHORIZATION,
    "no such user": state.INVALID_AUTHORIZATION,
    "login rejected": state.INVALID_AUTHORIZATION,
    "permission denied for database": state.INSUFFICIENT_PRIVILEGE,
    "not currently accepting connections": state.OBJECT_NOT_IN_PREREQUISITE_STATE,
    "database does not allow connections": state.OBJECT_NOT_IN_PREREQUISITE_STATE,
    "too many connections": state.TOO_MANY_CONNECTIONS,
    "too many clients": state.TOO_MANY_CONNECTIONS,
    "no more connections allowed": state.TOO_MANY_CONNECTIONS,
    "remaining connection slots are reserved": state.TOO_MANY_CONNECTIONS,
    "the database system is": state.CANNOT_CONNECT_NOW,
    "unrecognized configuration parameter": state.INVALID_PARAMETER_VALUE,
    "invalid value for parameter": state.INVALID_PARAMETER_VALUE,
    "invalid command-line argument": state.INVALID_PARAMETER_VALUE,
    "unsupported startup parameter": state.INVALID_PARAMETER_VALUE,
    "query_wait_timeout": state.UNABLE_TO_CONNECT,
    "server_login_retry": state.UNABLE_TO_CONNECT,
    "cannot connect to server": state.UNABLE_TO_CONNECT,
    "no such database": state.INVALID_CATALOG_NAME,
    'database "': state.INVALID_CATALOG_NAME,
    'role "': state.INVALID_AUTHORIZATION,
}
_ADDRESS = re.compile(r"connection (?:failed|is bad): (?:connection to server .*? failed: )?")


def refusal_state(error: BaseException) -> str | None:
    """The SQLSTATE of a refused connection, from its text where there is none or one that says nothing.

    None if no server refused it; `PROTOCOL_VIOLATION` if one did in words that are not known here.
    """
    code, text = state.sqlstate(error), str(error)
    if code not in (None, state.PROTOCOL_VIOLATION):
        return code
    # Of what libpq writes only this is the server's, and one thing that libpq itself finds missing.
    if code is None and "FATAL:  " not in text and "no password supplied" not in text:
        return None
    return next((found for part, found in _STATES.items() if part in text), state.PROTOCOL_VIOLATION)


def own_words(error: BaseException) -> str:
    """What the server, libpq or the system says of it, without the address that libpq puts before."""
    return _ADDRESS.sub("", state.server_message(error), count=1).strip().rstrip(".")
