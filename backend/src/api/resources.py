"""What the application holds open while it runs: engines, sessions, and the revisions of the code."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import asyncpg
from alembic.script import ScriptDirectory
from anyio import to_thread
from sqlalchemy import ExceptionContext, QueuePool, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from alembic_online.postgres.connection.engine import async_engine, resolve_url
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.embedded import leave
from alembic_online.postgres.sqlstate import names_what_is_gone
from alembic_online.releases.stamp import process_label
from alembic_online.revisions.graph import load_chain
from src.api.chat.answering import Answers
from src.api.ops.readiness import Readiness
from src.api.replica.reads import Replica
from src.api.search.query_vectors import QueryVectors
from src.api.security.rate_limit import Attempts, ServiceLimits
from src.api.security.signing_key import signing_key
from src.api.security.tokens import Tokens
from src.db.hot_query import Reader, open_reader
from src.db.services.passwords import Passwords
from src.db.session import session_factory
from src.db.vector import DIMENSIONS
from src.inference.services import Services, open_services
from src.settings import Settings

# Two cores of PostgreSQL are busy with fewer statements than this; whoever comes later waits here, not in the server.
_POOL_SIZE = 8
_WAIT_SECONDS = 10
_READ_SECONDS = 20.0  # for a statement on which a whole answer rests
_SESSION_SECONDS = 120.0  # for one of thousands of rows, the replacing of a chapter's chunks
_REPLICA_CONNECT_SECONDS = 2.0
_RECYCLE_SECONDS = 1800
_PRODUCT = "syllabus"


@dataclass(frozen=True, slots=True)
class Resources:
    """Made when the application starts, closed when it stops."""

    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    scripts: ScriptDirectory
    reader: Reader
    replica: Replica | None
    readiness: Readiness
    tokens: Tokens
    services: Services
    answers: Answers
    settings: Settings
    limits: ServiceLimits
    query_vectors: QueryVectors | None
    """None where the settings name no service that makes them."""
    passwords: Passwords = field(default_factory=Passwords)
    attempts: Attempts = field(default_factory=Attempts)

    def connections(self) -> list[tuple[str, int, int]]:
        """Of each pool: its name, how many connections are in use, and how many are idle."""
        pool = cast(QueuePool, self.engine.pool)
        return [("sessions", pool.checkedout(), pool.checkedin()), ("reads", *self.reader.connections())]


@asynccontextmanager
async def open_resources(settings: Settings, migrations: Path) -> AsyncIterator[Resources]:
    """Everything for the database of `settings`; an embedded server is started. Opens no connection.

    Raises `InvalidURL`, `ServerUnreachable` if an embedded server does not start, `BrokenChain`,
    `UnsafeConfiguration`, `LimitInvalid`, `EndpointInvalid`.
    """
    url = settings.database_url
    tokens, limits = Tokens(signing_key(settings)), ServiceLimits(settings)
    # In threads: an embedded server takes seconds to start, and each revision file is imported.
    target = replace(await to_thread.run_sync(resolve_url, url), patience=_SESSION_SECONDS)
    scripts = await to_thread.run_sync(_load_scripts, migrations)
    name, probes, reads, replica = (_name(part, scripts) for part in ("", "readyz", "reads", "replica"))
    engine = _pooled_engine(target, name, pool_size=_POOL_SIZE)
    # A connection of its own: a service that is busy is not one that is down, and probes never take more than this one.
    probe_engine = _pooled_engine(target, probes, pool_size=1)
    readiness = Readiness(probe_engine, target, scripts)
    sessions = session_factory(engine)
    try:
        async with (
            open_services(settings, dimensions=DIMENSIONS) as services,
            open_reader(engine, _quick(target), reads, size=_POOL_SIZE, patience=_WAIT_SECONDS) as reader,
            _open_replica(settings.replica_url, replica) as opened_replica,
            aclosing(Answers(sessions)) as answers,
        ):
            yield Resources(
                engine=engine,
                sessions=sessions,
                scripts=scripts,
                reader=reader,
                replica=opened_replica,
                readiness=readiness,
                tokens=tokens,
                services=services,
                answers=answers,
                settings=settings,
                limits=limits,
                query_vectors=QueryVectors(services.embedder) if services.embedder else None,
            )
    finally:
        await readiness.close()
        await probe_engine.dispose()
        await engine.dispose()
        await to_thread.run_sync(leave, url)


@asynccontextmanager
async def _open_replica(url: str | None, name: str) -> AsyncIterator[Replica | None]:
    if url is None:
        yield None
        return
    target = await to_thread.run_sync(resolve_url, url)
    # The primary answers as well: nobody has to wait long for a replica that does not.
    target = replace(_quick(target), connect_timeout=min(target.connect_timeout, _REPLICA_CONNECT_SECONDS))
    engine = _pooled_engine(target, name, pool_size=_POOL_SIZE)
    try:
        async with open_reader(engine, target, name, size=_POOL_SIZE, patience=_WAIT_SECONDS) as reader:
            yield Replica(session_factory(engine), reader)
    finally:
        await engine.dispose()
        await to_thread.run_sync(leave, url)


def _quick(target: DatabaseURL) -> DatabaseURL:
    return replace(target, patience=_READ_SECONDS)


def _load_scripts(migrations: Path) -> ScriptDirectory:
    scripts = ScriptDirectory(str(migrations))
    load_chain(scripts)
    return scripts


def _name(part: str, scripts: ScriptDirectory) -> str:
    """As which the service is seen in `pg_stat_activity`: a migration waits for what was built for an older schema."""
    return str(process_label(scripts, product=f"{_PRODUCT} {part}".strip()))


def _pooled_engine(target: DatabaseURL, application_name: str, *, pool_size: int) -> AsyncEngine:
    engine = async_engine(
        target,
        application_name=application_name,
        hide_parameters=True,  # an error in the log shall not show an address or a password's hash
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_WAIT_SECONDS,
        pool_recycle=_RECYCLE_SECONDS,
    )
    event.listen(engine.sync_engine, "checkout", _replace_closed)
    event.listen(engine.sync_engine, "handle_error", _replace_outdated)
    return engine


def _replace_outdated(context: ExceptionContext) -> None:
    """Replace all connections once one has prepared what names a type that was made again: the others may have too."""
    context.is_disconnect = context.is_disconnect or names_what_is_gone(context.original_exception)


def _replace_closed(dbapi_connection: Any, _record: object, _proxy: object) -> None:
    """Replace a connection that the server closed while it was idle: a ping's knowledge without its round trip."""
    driver_connection = dbapi_connection.driver_connection
    if isinstance(driver_connection, asyncpg.Connection) and driver_connection.is_closed():
        raise DisconnectionError("the server closed this connection while it was idle")
