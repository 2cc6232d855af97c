"""Both ends of a migration's TCP connection ask whether the other is still there."""

import asyncio
import socket

import pytest
from sqlalchemy import text

from alembic_online.postgres.connection.engine import async_engine
from alembic_online.postgres.connection.keepalive import keep_alive, pace
from alembic_online.postgres.connection.url import parse_url
from tests.api.network import Proxy, listening, through


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_the_clients_end_asks_after_ten_seconds_of_silence(
    database: str, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_to: dict[int, int] = {}
    original = socket.socket.setsockopt
    monkeypatch.setattr(
        socket.socket, "setsockopt", lambda end, *given: (set_to.update({given[1]: given[2]}), original(end, *given))[1]
    )

    async def go() -> int:
        async with listening(Proxy(database)) as port:
            url = through(port, database).replace("postgresql:", f"postgresql+{driver}:")
            engine = async_engine(parse_url(url), application_name="test")
            async with engine.connect() as connection:
                await keep_alive(connection)
                one = await connection.scalar(text("SELECT 1"))
            await engine.dispose()
            return int(one or 0)

    assert asyncio.run(go()) == 1
    assert (set_to[socket.SO_KEEPALIVE], set_to[socket.TCP_KEEPIDLE]) == (1, 10)


@pytest.mark.parametrize(
    ("patience", "wanted"), [(30, (10, 5, 4)), (2, (1, 1, 1)), (3, (1, 1, 2)), (600, (200, 100, 4))]
)
def test_the_limit_is_what_was_asked_for(patience: float, wanted: tuple[int, int, int]) -> None:
    assert pace(patience) == wanted
    assert pace(patience).limit == patience
