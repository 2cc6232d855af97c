"""From a URL to an engine: the one place that knows how each driver is called."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Engine, create_engine, pool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from alembic_online.postgres.connection.url import DatabaseURL, parse_url
from alembic_online.postgres.extras import require
from alembic_online.postgres.variable import Variable

if TYPE_CHECKING:
    import asyncpg

Creator = Callable[..., Awaitable[Any]]

# SQLAlchemy prepares every statement, by names of its own. The empty name leaves nothing behind in a server session
# that belongs to somebody else next: PostgreSQL forgets the statement with the next one.
_NOTHING_PREPARED = {"prepared_statement_cache_size": 0, "prepared_statement_name_func": str}


def resolve_url(url: str) -> DatabaseURL:
    """Read `url`, and start the embedded server if it names one.

    Raises `InvalidURL`, `ServerUnreachable`.
    """
    source = url.name if isinstance(url, Variable) else "the database URL"
    if url.startswith("embedded:"):
        from alembic_online.postgres import embedded  # noqa: PLC0415  only those who use that server should pay for its imports

        url = embedded.start(url, source=source)
    return parse_url(url, source=source)


def async_engine(target: DatabaseURL, *, application_name: str, **options: Any) -> AsyncEngine:
    """An engine for `target`; `options` go to SQLAlchemy. No connection is opened before the first use."""
    if target.driver == "psycopg":
        require("psycopg", "psycopg", "postgresql+psycopg://")
    creators = {"asyncpg": _asyncpg, "psycopg": _psycopg}
    creator = creators[target.driver](target, application_name)
    url = _dialect(target)
    if target.driver == "asyncpg" and target.pooled:
        return create_async_engine(url, connect_args={"async_creator_fn": creator, **_NOTHING_PREPARED}, **options)
    return create_async_engine(url, async_creator=creator, **options)


def revision_engine(target: DatabaseURL, *, application_name: str, **options: Any) -> AsyncEngine:
    """An engine on which revisions run: by the driver that the URL names, and otherwise as psycopg2 ran them."""
    if not target.like_psycopg2:
        return async_engine(target, application_name=application_name, **options)
    require("psycopg", "psycopg", "A URL that names no driver (or +psycopg2) runs its revisions as psycopg2 does, and")
    from alembic_online.postgres.connection.psycopg2_compatibility import like_psycopg2, make_engine  # noqa: PLC0415  for those alone who need it

    target = replace(target, driver="psycopg")
    creator = like_psycopg2(_psycopg(target, application_name))
    return make_engine(_dialect(target), async_creator=creator, **options)


def _dialect(target: DatabaseURL) -> URL:
    """The driver gets libpq's spelling itself, so this only names the dialect and is safe to print."""
    return URL.create(f"postgresql+{target.driver}", username=target.role, host=target.host, database=target.database)


def sync_engine(target: DatabaseURL) -> Engine:
    """An engine of psycopg's, for what is not awaited; it keeps no connection."""
    import psycopg  # noqa: PLC0415  as below

    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(target.dsn), poolclass=pool.NullPool)


def one_connection(target: DatabaseURL, *, prepare: int | None = 0) -> Engine:
    """An engine of psycopg's with one connection, for whoever looks on while something else runs.

    A new connection would read PostgreSQL's own tables again. `prepare` is psycopg's `prepare_threshold`; None where
    others change the tables that are asked for.
    """
    import psycopg  # noqa: PLC0415  as below

    def connect() -> "psycopg.Connection[Any]":
        return psycopg.connect(target.dsn, prepare_threshold=prepare)

    return create_engine("postgresql+psycopg://", creator=connect, poolclass=pool.StaticPool)


def asyncpg_options(target: DatabaseURL, application_name: str) -> dict[str, Any]:
    """What asyncpg is to be told beside the DSN, for a connection or a pool.

    Behind a transaction pooler the next statement may meet another server session, which knows nothing of what was
    prepared: without its cache asyncpg sends the statement itself each time, under no name.
    """
    settings = {"application_name": application_name}
    options: dict[str, Any] = {"timeout": target.connect_timeout, "command_timeout": target.patience}
    if target.pooled:
        return options | {"server_settings": settings, "statement_cache_size": 0}
    return options | {"server_settings": settings | _limits(target)}


def _limits(target: DatabaseURL) -> dict[str, str]:
    """The server gives up first, which costs the connection nothing; the client where the server is not heard of."""
    if target.patience is None or target.pooled:
        return {}
    milliseconds = round(target.patience * 1000)
    return {"lock_timeout": str(min(milliseconds // 2, 10_000)), "statement_timeout": str(milliseconds * 9 // 10)}


def _asyncpg(target: DatabaseURL, application_name: str) -> Creator:
    import asyncpg  # noqa: PLC0415  an env.py of SQLite's imports this module too

    async def connect(**_: Any) -> "asyncpg.Connection":
        return await asyncpg.connect(target.dsn, **asyncpg_options(target, application_name))

    return connect


def _psycopg_limits(target: DatabaseURL) -> dict[str, Any]:
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415  as below

    if target.patience is None:
        return {}
    given = conninfo_to_dict(target.dsn).get("options") or ""
    limits = "".join(f" -c {name}={value}" for name, value in _limits(target).items())
    return {"options": f"{given}{limits}", "tcp_user_timeout": round(target.patience * 1000)}


def _psycopg(target: DatabaseURL, application_name: str) -> Creator:
    # 0.1 s of every command that only those who ask for this driver should pay.
    from alembic_online.postgres.connection.psycopg_timeouts import PatientConnection  # noqa: PLC0415

    async def connect() -> PatientConnection:
        connection = await PatientConnection.connect(
            target.dsn,
            connect_timeout=int(target.connect_timeout),
            application_name=application_name,
            **_psycopg_limits(target),
            prepare_threshold=None if target.pooled else 5,  # 5 is its default
        )
        connection.patience = target.patience
        return connection

    return connect
