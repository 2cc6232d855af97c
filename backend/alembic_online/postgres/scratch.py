"""A database to try things on: new, empty, on the same server if the role may make one, and gone afterwards.

Where it may not (no CREATEDB, a standby, a pooler that knows one database), an embedded server of the nearest version
is started for it, with the same roles. `MIGRATION_SCRATCH_URL` names another server to use. What a killed process left
is dropped by the next one.
"""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from sqlalchemy import Connection, pool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.abandoned_threads import abandonable
from alembic_online.postgres.connection.connect import connected
from alembic_online.postgres.connection.engine import async_engine
from alembic_online.postgres.connection.url import DatabaseURL, parse_url
from alembic_online.postgres.embedded import VERSIONS, end_server, start_server
from alembic_online.postgres.errors import UserError
from alembic_online.postgres.sqlstate import server_message

log = logging.getLogger(__name__)

T = TypeVar("T")
PREFIX = "online_scratch_"
_URL = "scratch url"
_SETTINGS = ("search_path", "TimeZone", "DateStyle", "IntervalStyle", "default_toast_compression", "xmloption")
# Another server may not have been built with a way to compress that this one has (PostgreSQL 19: lz4 by default).
_SET = text(
    """
    SELECT set_config(name, :setting, false) FROM pg_settings
    WHERE name = :name AND (enumvals IS NULL OR :setting = ANY (enumvals))
    """
)
_HERE = text(f"SELECT name, setting FROM pg_settings WHERE name IN {_SETTINGS}")
_ENTRY = re.compile(r'"((?:[^"]|"")*)"|([^\s,"]+)')  # of a search_path: quoted, or a plain word
_EXTENSIONS = text(
    """
    SELECT e.extname::text, n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname <> 'plpgsql' ORDER BY e.oid
    """
)
_QUOTED = text("SELECT quote_ident(current_database())")
_ROLES = text("SELECT rolname::text FROM pg_roles WHERE rolname !~ '^pg_'")
_FOUND = text(f"SELECT datname::text FROM pg_database WHERE datname LIKE '{PREFIX}%'")
_LEFT_BEHIND_AFTER = 3600  # seconds; no trial takes so long


@dataclass(frozen=True)
class Place:
    """What a scratch database must be like: its session's settings, its default schema, the roles that are named."""

    settings: dict[str, str]
    schema: str
    """The default one: that of names which say none."""
    roles: tuple[str, ...]
    version: int
    path: tuple[str, ...] = ()
    """The search_path: all schemas that it names, also those that are not there (yet)."""
    there: tuple[str, ...] = ()
    """Those of them that are."""
    extensions: tuple[tuple[str, str], ...] = ()
    """What is installed, and in which schema."""

    def beside(self, named: Collection[str]) -> "Place":
        """The place of a project that says the schemas `named` itself: none of them is the default one.

        Such a schema may come first on the path, by the role's name or by a setting, and that only from the revision on
        that makes it. Then `public` stays the default, if the path leads there.
        """
        moves = self.schema in named and "public" in self.there and "public" not in named
        return replace(self, schema="public") if moves else self

    def ambiguous(self, named: Collection[str]) -> bool:
        """Whether one of `named` comes before the default schema on the path: a name without schema may go there."""
        before = self.path[: self.path.index(self.schema)] if self.schema in self.path else ()
        return any(schema in named for schema in before)

    def default_first(self) -> "Place":
        """With a search_path that leads to the default schema first, whatever else is made."""
        path = [self.schema, *(schema for schema in self.path if schema != self.schema)]
        return replace(self, settings={**self.settings, "search_path": _listed(path)})


def read_place(connection: Connection) -> Place:
    """The place of the database at hand."""
    settings = {str(name): str(setting or "") for name, setting in connection.execute(_HERE)}
    version, user, there = connection.exec_driver_sql(
        "SELECT current_setting('server_version_num')::int / 10000, current_user::text, current_schemas(false)::text[]"
    ).one()
    path = tuple(entries(settings["search_path"], str(user)))
    settings["search_path"] = _listed(path)
    extensions = tuple((str(name), str(where)) for name, where in connection.execute(_EXTENSIONS))
    roles, schema = tuple(connection.scalars(_ROLES).all()), next(iter(there), "public")
    return Place(settings, schema, roles, int(version), path, tuple(there), extensions)


def entries(path: str, user: str) -> Iterator[str]:
    """The schemas of a search_path; "$user" is the role's, which is another one in a server of our own."""
    for match in _ENTRY.finditer(path):
        name = match[1].replace('""', '"') if match[1] is not None else match[2].lower()
        if name:
            yield user if name == "$user" else name


def _listed(path: Iterable[str]) -> str:
    return ", ".join('"' + schema.replace('"', '""') + '"' for schema in path)


def in_scratch(target: DatabaseURL, place: Place, work: Callable[[Connection], T], *, elsewhere: str = "") -> T:
    """What `work` returns for a connection, in autocommit, to a new database like `place` on the server of `target`.

    `elsewhere` is the URL of another server to use. Waits, whether or not the caller is inside a running event loop.
    Raises `ServerUnreachable`, `AccessRefused`, and what `work` raises.
    """

    async def run() -> T:
        async with scratch_database(target, place, elsewhere) as connection:
            return await connection.run_sync(work)

    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(lambda: asyncio.run(run())).result()


@asynccontextmanager
async def scratch_database(target: DatabaseURL, place: Place, elsewhere: str = "") -> AsyncIterator[AsyncConnection]:
    """A connection to a new database, which is dropped at the end."""
    async with AsyncExitStack() as stack:
        if elsewhere:
            yield await _open(stack, parse_url(elsewhere, source="MIGRATION_SCRATCH_URL"), place)
            return
        try:
            connection = await _open(stack, target, place)
        except (DBAPIError, UserError) as error:
            reason = server_message(error) if isinstance(error, DBAPIError) else str(error).splitlines()[0]
            log.info("No scratch database can be made beside this one (%s): a server is started for it.", reason)
            connection = await _open(stack, _stand_in(stack, place), place)
        yield connection


async def _open(stack: AsyncExitStack, server: DatabaseURL, place: Place) -> AsyncConnection:
    name = await _create(server)
    stack.push_async_callback(_drop, server, name)
    stack.enter_context(abandonable(partial(_drop, server, name)))
    connection = await stack.enter_async_context(_connected(server.at(name)))
    await _prepare(connection, place)
    assert connection.sync_connection is not None, "it is open"
    connection.sync_connection.info[_URL] = server.at(name)
    return connection


def scratch_url(connection: Connection) -> DatabaseURL:
    """Where the scratch database is, for whoever needs another connection to it."""
    url: DatabaseURL = connection.info[_URL]
    return url


def _stand_in(stack: AsyncExitStack, place: Place) -> DatabaseURL:
    """An embedded server of the nearest version, its data gone at the end."""
    version = min(VERSIONS, key=lambda offered: abs(offered - place.version))
    directory = Path(stack.enter_context(TemporaryDirectory(prefix="online-"))).resolve()
    server = start_server(directory / "data", version=version, temporary=True)
    stack.callback(end_server, server)
    return parse_url(server.get_uri())


@asynccontextmanager
async def _connected(target: DatabaseURL) -> AsyncIterator[AsyncConnection]:
    engine = async_engine(target, application_name="online scratch", poolclass=pool.NullPool)
    try:
        async with connected(engine, target) as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            yield connection
    finally:
        await engine.dispose()


async def _create(server: DatabaseURL) -> str:
    name = f"{PREFIX}{int(time.time())}_{secrets.token_hex(4)}"
    async with _connected(server) as connection:
        await connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY wal_log")
        for left in (await connection.scalars(_FOUND)).all():
            if int(left.removeprefix(PREFIX).partition("_")[0]) < time.time() - _LEFT_BEHIND_AFTER:
                await connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {left}")
    return name


async def _drop(server: DatabaseURL, name: str) -> None:
    async with _connected(server) as connection:
        await connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def _prepare(connection: AsyncConnection, place: Place) -> None:
    """The same names, defaults and roles as in the database it stands for."""
    quote = connection.dialect.identifier_preparer.quote
    quoted = await connection.scalar(_QUOTED)
    for where in (f"ALTER DATABASE {quoted} SET", "SET"):  # nothing here need survive a power cut
        await connection.exec_driver_sql(f"{where} synchronous_commit = off")
    await connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {quote(place.schema)}")
    for name, setting in place.settings.items():
        await connection.execute(_SET, {"name": name, "setting": setting})
    for role in set(place.roles) - set((await connection.scalars(_ROLES)).all()):
        await connection.exec_driver_sql(f"CREATE ROLE {quote(role)}")
