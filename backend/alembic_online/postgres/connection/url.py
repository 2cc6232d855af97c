"""A database URL in any of the usual spellings, made into what the drivers understand.

A provider's dashboard shows `postgres://`, a tutorial `postgresql+asyncpg://`, Prisma adds `?connection_limit=5`: all
mean one thing, so all are accepted, and what cannot be honoured is refused with a sentence. Nothing here connects.
"""

import difflib
import re
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from alembic_online.postgres.connection.service_file import check_service
from alembic_online.postgres.errors import InvalidURL

Driver = Literal["asyncpg", "psycopg"]

_DRIVERS: dict[str, Driver] = {
    "": "asyncpg",
    "asyncpg": "asyncpg",
    "psycopg": "psycopg",
    "psycopg_async": "psycopg",
    "psycopg2": "psycopg",  # what came after it, and is installed here
    "psycopg2cffi": "psycopg",
}
_LIKE_PSYCOPG2 = ("", "psycopg2", "psycopg2cffi")
_SYNC_DRIVERS = ("pg8000", "pygresql", "py-postgresql")
_DRIVER_REMEDY = "Leave the driver out (postgresql://...), or write postgresql+asyncpg:// or postgresql+psycopg://."
_EXAMPLE = "postgresql://role:password@host:5432/database"
_CONNECT_TIMEOUT = 10
_SSL = {"true": "require", "1": "require", "on": "require", "false": "disable", "0": "disable", "off": "disable"}
_CHOICES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "channel_binding": ("disable", "prefer", "require"),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
}

# What libpq knows (PostgreSQL 18, section 34.1.2) and both drivers honour.
_LIBPQ = frozenset(
    {
        "host",
        "port",
        "dbname",
        "user",
        "password",
        "passfile",
        "service",
        "sslmode",
        "sslcert",
        "sslkey",
        "sslrootcert",
        "sslcrl",
        "sslpassword",
        "sslnegotiation",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
        "target_session_attrs",
        "krbsrvname",
        "gsslib",
        "application_name",
        "options",
        "connect_timeout",
        "channel_binding",
    }
)
# What only tunes the client's sockets, and the hints of Prisma, Supabase and SQLAlchemy: nothing is lost without them.
_TUNING = frozenset(
    {
        "keepalives",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "gssencmode",
        "client_encoding",
        "fallback_application_name",
        "sslcompression",
        "sslsni",
        "pgbouncer",
        "connection_limit",
        "pool_timeout",
        "workaround",
        "uselibpqcompat",
        "statement_cache_size",
        "prepared_statement_cache_size",
    }
)


@dataclass(frozen=True, slots=True)
class DatabaseURL:
    """Where a database is. `dsn` is libpq's spelling and holds the password: never print it; print `place`."""

    driver: Driver
    dsn: str
    host: str
    port: int
    database: str
    role: str
    source: str
    connect_timeout: float
    requires_tls: bool
    pooled: bool
    """A pooler in transaction mode stands before the server: nothing of a session lasts from one transaction on."""
    patience: float | None = None
    """Seconds that a statement, or its wait for a lock, may take; None where it takes what it takes."""
    like_psycopg2: bool = True
    """Revisions run as they did on psycopg2: the URL names it, or no driver at all, which always meant that one."""

    @property
    def place(self) -> str:
        """Database, host and role for a message, without the password."""
        where = self.host if self.host.startswith("/") else f"{self.host}:{self.port}"
        return f"database {self.database!r} at {where} as role {self.role!r}"

    def __repr__(self) -> str:
        return f"<DatabaseURL {self.place}>"

    def at(self, database: str) -> "DatabaseURL":
        """Another database of the same server, for the same role."""
        split = urlsplit(self.dsn)
        query = {key: value for key, value in parse_qsl(split.query, keep_blank_values=True) if key != "dbname"}
        dsn = _dsn(split._replace(path=f"/{quote(database, safe='')}"), query)
        return replace(self, dsn=dsn, database=database)


def parse_url(text: str, *, source: str = "the database URL") -> DatabaseURL:
    """Read `text`; `source` is the variable it came from. Raises `InvalidURL`, whose message never repeats the URL."""
    split = _split(_escaped(text.strip(), source), source)
    query = _query(split, source)
    host = query.get("host") or unquote(split.hostname or "") or "localhost"
    _check_host(host, source)
    driver = _driver(split.scheme, query, source)
    if driver == "asyncpg" and "service" in query:
        check_service(query["service"], source)
    role = query.get("user") or unquote(split.username or "")
    connect_timeout = _seconds(query, source)  # before the DSN is made: asyncpg would send it to the server
    return DatabaseURL(
        driver=driver,
        dsn=_dsn(split, query),
        host=host.split(",")[0],
        port=_port(split, query, source),
        database=query.get("dbname") or unquote(split.path[1:]) or role,
        role=role or "(the operating system's user)",
        source=source,
        connect_timeout=connect_timeout,
        requires_tls=query.get("sslmode") in ("require", "verify-ca", "verify-full"),
        pooled=_is_pooled(split),
        like_psycopg2=split.scheme.partition("+")[2] in _LIKE_PSYCOPG2,
    )


def _split(text: str, source: str) -> SplitResult:
    if not text:
        raise InvalidURL(
            f"{source} is empty.", f"Write it as {_EXAMPLE}, or unset it to use the embedded PostgreSQL in .postgres/."
        )
    if text[0] in "'\"" or text[-1] in "'\"":
        raise _malformed(source, "it begins or ends with a quotation mark, which is part of the value")
    if "://" not in text:
        raise _malformed(source, "it has no scheme such as postgresql://")
    try:
        split = urlsplit(text)
    except ValueError:
        raise _ambiguous(source) from None  # its text would show the password
    outside = split.path + split.query
    if split.netloc.count("@") > 1 or split.fragment or ("@" in outside and "@" not in split.netloc):
        raise _ambiguous(source)
    return split


def _escaped(text: str, source: str) -> str:
    """`text` with each lone percent sign written as %25: asyncpg takes it as it is, libpq refuses the URL."""
    try:
        plain = unquote(text, errors="strict").encode()
    except UnicodeError:
        raise _malformed(source, "a byte in it is not UTF-8") from None  # its text would show the password
    if b"\0" in plain:
        raise _malformed(source, "it holds a zero byte (%00)")
    return re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)


def _check_host(hosts: str, source: str) -> None:
    try:
        for host in hosts.split(","):
            host.rstrip(".").encode("idna" if not host.startswith("/") else "utf-8")
    except UnicodeError:
        raise _malformed(source, "its host has a part between two dots that is empty or too long") from None


def _driver(scheme: str, query: dict[str, str], source: str) -> Driver:
    backend, _, name = scheme.partition("+")
    if backend not in ("postgres", "postgresql"):
        near = difflib.get_close_matches(backend, ["postgresql", "postgres"], n=1)
        what = "a misspelling of postgresql" if near else "not PostgreSQL, the only database this runs on"
        raise InvalidURL(f"{source} begins with {backend}://, which is {what}.", f"Write it as {_EXAMPLE}.")
    if name not in _DRIVERS:
        what = "is not installed here and cannot run async" if name in _SYNC_DRIVERS else "is not known"
        raise InvalidURL(f"{source} asks for the driver {name!r}, which {what}.", _DRIVER_REMEDY)
    if query.get("channel_binding") != "require":
        query.pop("channel_binding", None)  # asyncpg would send it to the server
        return _DRIVERS[name]
    if name == "asyncpg":
        raise InvalidURL(f"{source} requires channel binding, which asyncpg does not have.", _DRIVER_REMEDY)
    return "psycopg"  # libpq honours it


def _query(split: SplitResult, source: str) -> dict[str, str]:
    """The query in libpq's names, without the hints of other tools."""
    query = {key: value for key, value in parse_qsl(split.query, keep_blank_values=True) if key not in _TUNING}
    if "ssl" in query:
        spelled = query.pop("ssl").lower()
        query.setdefault("sslmode", _SSL.get(spelled, spelled))
    if "database" in query:
        query["dbname"] = query.pop("database")
    for name, choices in _CHOICES.items():
        if query.get(name, choices[0]) not in choices:
            raise InvalidURL(
                f"{source} has {name}={query[name]}, which PostgreSQL does not know.",
                f"Use one of {', '.join(choices)}.",
            )
    unknown = sorted(set(query) - _LIBPQ)
    if unknown:
        near = difflib.get_close_matches(unknown[0], sorted(_LIBPQ), n=1)
        remedy = f"Did you mean {near[0]}?" if near else "Remove it, or see PostgreSQL's manual, section 34.1.2."
        raise InvalidURL(f"{source} has the parameter {unknown[0]!r}, which PostgreSQL does not know.", remedy)
    return query


def _is_pooled(split: SplitResult) -> bool:
    """Prisma's and Supabase's hint, or what is written for the drivers to the same end: pgbouncer=true."""
    hints = dict(parse_qsl(split.query))
    switched_off = {hints.get("statement_cache_size"), hints.get("prepared_statement_cache_size")}
    return hints.get("pgbouncer", "").lower() in ("true", "1", "on", "yes") or "0" in switched_off


def _port(split: SplitResult, query: dict[str, str], source: str) -> int:
    try:
        return int(query["port"].split(",")[0]) if "port" in query else split.port or 5432
    except ValueError:
        if "," in split.netloc:  # several hosts, each with a port of its own: the drivers read them
            return 5432
        raise _malformed(source, "its port is not a number from 1 to 65535") from None


def _seconds(query: dict[str, str], source: str) -> float:
    """`connect_timeout` as libpq reads it: whole seconds, 0 or less means no limit (here: an hour)."""
    text = query.pop("connect_timeout", str(_CONNECT_TIMEOUT))
    try:
        return float(int(text)) if int(text) > 0 else 3600.0
    except ValueError:
        raise _malformed(source, "its connect_timeout is not a whole number of seconds") from None


def _dsn(split: SplitResult, query: dict[str, str]) -> str:
    return f"postgresql://{split.netloc}{split.path or '/'}?{urlencode(query, quote_via=quote)}".removesuffix("?")


def _malformed(source: str, why: str) -> InvalidURL:
    return InvalidURL(f"{source} is not a database URL: {why}.", f"Write it as {_EXAMPLE}.")


def _ambiguous(source: str) -> InvalidURL:
    return InvalidURL(
        f"{source} is ambiguous: its user name or password holds a character that means something in a URL.",
        "Escape it: @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, [ as %5B, ] as %5D, % as %25.",
    )
