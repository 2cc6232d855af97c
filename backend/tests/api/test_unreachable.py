"""Promise: a database that is away takes nothing with it: the answer comes in time, keeps secrets, and recovers."""

import asyncio
import gc
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from httpx import AsyncClient
from sqlalchemy import event
from sqlalchemy.pool import Pool

from alembic_online.postgres.embedded import start_server
from src.api.ops.readiness import TIME_LIMIT
from tests.api.clients import not_ready, running
from tests.api.conftest import MakeApp
from tests.api.network import Proxy, SilentListener, listening, through
from tests.servers import Server, ServerDirectory, new_data

PASSWORD = "sekret-7f3a"
SLACK = 5.0  # seconds that a machine with much else to do may add


async def timed_problem(client: AsyncClient) -> dict[str, object]:
    began = time.monotonic()
    problem = await not_ready(client)
    assert time.monotonic() - began < TIME_LIMIT + SLACK
    return problem


async def until_ready(client: AsyncClient) -> None:
    async with asyncio.timeout(15):
        while (await client.get("/readyz")).status_code != 200:
            pass


@pytest.fixture(scope="module")
def password_server(server_directory: ServerDirectory) -> Iterator[str]:
    """The host of a server that asks everybody but its superuser for a password."""
    with server_directory() as directory:
        rules = directory / "pg_hba.conf"
        rules.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
        server = start_server(new_data(directory), settings={"hba_file": f"'{rules}'"}, temporary=True)
        with psycopg.connect(server.get_uri(), autocommit=True) as admin:
            admin.execute("CREATE ROLE student LOGIN PASSWORD 'right'")
        yield str(directory / "data")
        server.cleanup()


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_closed_port_is_unreachable(make_app: MakeApp, driver: str) -> None:
    async with running(make_app(f"postgresql+{driver}://student:{PASSWORD}@127.0.0.1:1/course")) as client:
        problem = await not_ready(client)
    assert (problem["reason"], problem["host"], problem["database"]) == ("unreachable", "127.0.0.1", "course")
    assert "127.0.0.1:1" in problem["detail"]
    assert PASSWORD not in str(problem)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_wrong_password_is_unreachable_and_stays_secret(
    make_app: MakeApp, driver: str, password_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"postgresql+{driver}://student:{PASSWORD}@/postgres?host={password_server}"
    async with running(make_app(url)) as client:
        problem = await not_ready(client)
    assert problem["reason"] == "unreachable"
    assert "password was refused" in problem["detail"]
    assert PASSWORD not in str(problem) + caplog.text


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_server_that_never_answers_is_answered_for_in_bounded_time(make_app: MakeApp, driver: str) -> None:
    listener = SilentListener()
    async with listening(listener) as port:
        url = f"postgresql+{driver}://student@127.0.0.1:{port}/course"
        async with running(make_app(url)) as client:
            problems = await asyncio.gather(*(timed_problem(client) for _ in range(20)))
            if driver == "psycopg":
                gc.collect()  # libpq hangs up with the last reference, and SQLAlchemy's greenlet leaves one in a cycle
            await asyncio.wait_for(listener.empty.wait(), 15)
    assert {problem["reason"] for problem in problems} == {"unreachable"}
    assert listener.accepted == 1, "probes that come together share one connection"


async def test_a_network_that_falls_silent_is_noticed_and_its_return_too(make_app: MakeApp, migrated: str) -> None:
    proxy = Proxy(migrated)
    async with listening(proxy) as port, running(make_app(through(port, migrated))) as client:
        await until_ready(client)
        proxy.silence()
        assert (await timed_problem(client))["reason"] == "unreachable"
        assert (await timed_problem(client))["reason"] == "unreachable"
        proxy.restore()
        await until_ready(client)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_database_that_goes_away_and_comes_back(
    make_app: MakeApp, migrated: str, server: Server, driver: str
) -> None:
    name = urlsplit(migrated).path[1:]
    url = migrated.replace("postgresql://", f"postgresql+{driver}://", 1)
    async with running(make_app(url)) as client:
        assert (await client.get("/readyz")).status_code == 200
        with psycopg.connect(server.admin, autocommit=True) as admin:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
            admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name])
            problem = await not_ready(client)
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
        assert (problem["reason"], problem["database"]) == ("unreachable", name)
        assert (await client.get("/readyz")).status_code == 200


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_terminated_connection_is_replaced_within_the_probe(
    make_app: MakeApp, migrated: str, driver: str
) -> None:
    async with running(make_app(migrated.replace("postgresql://", f"postgresql+{driver}://", 1))) as client:
        for _ in range(3):
            assert (await client.get("/readyz")).status_code == 200
            with psycopg.connect(migrated, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )


async def test_probes_that_come_together_share_one_look(make_app: MakeApp, migrated: str) -> None:
    looks: list[object] = []

    def count(dbapi_connection: object, *_: object) -> None:
        looks.append(dbapi_connection)

    async with running(make_app(migrated)) as client:
        event.listen(Pool, "checkout", count)
        answers = await asyncio.gather(*(client.get("/readyz") for _ in range(20)))
        event.remove(Pool, "checkout", count)
    assert {answer.status_code for answer in answers} == {200}
    assert len(looks) == 1


async def test_probes_that_fail_hold_one_connection_between_them(make_app: MakeApp, database: str) -> None:
    async with running(make_app(database)) as client:
        await asyncio.gather(*(not_ready(client) for _ in range(30)))
        for _ in range(10):
            await not_ready(client)
        with psycopg.connect(database) as admin:
            row = admin.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
    assert row == (1,)


async def test_a_stopping_application_ends_the_look_that_is_under_way(make_app: MakeApp) -> None:
    listener = SilentListener()
    async with listening(listener) as port:
        async with running(make_app(f"postgresql://student@127.0.0.1:{port}/course")) as client:
            probe = asyncio.create_task(client.get("/readyz"))
            await asyncio.wait_for(listener.called.wait(), TIME_LIMIT)
        await asyncio.wait_for(listener.empty.wait(), TIME_LIMIT / 2)
        assert (await probe).status_code == 503
