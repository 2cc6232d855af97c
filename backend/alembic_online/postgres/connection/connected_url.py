"""Where an open connection leads: as its engine's URL says, or as its driver does, where a hook or a creator of the
project's (`do_connect`, a token) has connected with something else.

asyncpg does not tell with what it connected: there the URL is believed.
"""

from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import Connection

from alembic_online.postgres.connection.url import DatabaseURL, parse_url

_SOURCE = "the URL of the connection"
_WHO = ("dbname", "user", "password")
_KEPT = ("host", "port", *_WHO, "options", "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl")


def connected_url(connection: Connection) -> DatabaseURL:
    """For another connection to the same database. Raises `InvalidURL`."""
    url = connection.engine.url
    written = url.set(drivername="postgresql").render_as_string(hide_password=False)
    real = _of_driver(connection.connection.driver_connection)
    said = {"dbname": url.database, "user": url.username, "password": url.password, **url.query}
    if any(real.get(name) and real[name] != said.get(name) for name in _WHO):
        written = _written(real)
    return parse_url(written, source=_SOURCE)


def _written(parameters: dict[str, str]) -> str:
    user, password, database = (quote(parameters.get(name, ""), safe="") for name in ("user", "password", "dbname"))
    others = {name: value for name, value in parameters.items() if name not in _WHO}
    return f"postgresql://{user}:{password}@/{database}?{urlencode(others, quote_via=quote)}"


def _of_driver(driver: Any) -> dict[str, str]:
    """What psycopg and psycopg2 tell, in libpq's words; nothing of others."""
    info = getattr(driver, "info", None)
    if info is None:
        return {}
    told = info.get_parameters() if hasattr(info, "get_parameters") else info.dsn_parameters
    return {name: str(value) for name, value in (told | {"password": info.password}).items() if name in _KEPT and value}
