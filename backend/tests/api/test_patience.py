"""Promise: a database that does not get on costs a request some seconds, which ends with a 503."""

from collections.abc import Iterator
from contextlib import ExitStack
from unittest.mock import patch

import psycopg
import pytest
from httpx import AsyncClient

from tests.api.accounts import signed_in, started
from tests.api.conftest import MakeApp
from tests.api.network import Proxy, listening, through

READS = ("modules", "chat/conversations")  # by a connection alone, and by a session
LIMITS = {"_READ_SECONDS": 0.4, "_SESSION_SECONDS": 0.4, "_WAIT_SECONDS": 0.4}


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    with ExitStack() as stack:
        for name, seconds in LIMITS.items():
            stack.enter_context(patch(f"src.api.resources.{name}", seconds))
        yield


async def statuses(client: AsyncClient) -> list[int]:
    answers = [await client.get(path) for path in READS]
    assert all(answer.status_code == 200 or answer.headers["retry-after"] == "1" for answer in answers)
    return [answer.status_code for answer in answers]


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_lock_that_is_not_released_is_not_waited_for(make_app: MakeApp, migrated: str, driver: str) -> None:
    app = make_app(migrated.replace("postgresql", f"postgresql+{driver}", 1))
    async with started(app), signed_in(app, "student") as student:
        with psycopg.connect(migrated) as somebody:
            somebody.execute("LOCK modules, chat_messages")
            assert await statuses(student) == [503, 503]
        assert await statuses(student) == [200, 200]


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_network_that_is_silent_is_not_waited_for(make_app: MakeApp, migrated: str, driver: str) -> None:
    proxy = Proxy(migrated)
    async with listening(proxy) as port:
        url = through(port, migrated).replace("postgresql", f"postgresql+{driver}", 1)
        app = make_app(f"{url}&connect_timeout=1")
        async with started(app), signed_in(app, "student") as student:
            assert await statuses(student) == [200, 200]
            proxy.silence()
            assert await statuses(student) == [503, 503]
            proxy.restore()
            assert await statuses(student) == [200, 200]


async def test_a_server_that_takes_its_leave_between_two_statements_costs_a_session_a_503_and_a_read_nothing(
    make_app: MakeApp, migrated: str
) -> None:
    proxy = Proxy(migrated)
    async with listening(proxy) as port:
        app = make_app(f"{through(port, migrated)}&connect_timeout=1")
        async with started(app), signed_in(app, "student") as student:
            assert await statuses(student) == [200, 200]
            proxy.linger()
            with psycopg.connect(migrated, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            await proxy.ended.wait()
            assert await statuses(student) == [200, 503]
            proxy.hang_up()
