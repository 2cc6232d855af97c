"""Promise: whichever driver a process uses, and through PgBouncer too, the database shows which release it is."""

import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from alembic_online import stamp_engine
from alembic_online.postgres.connection.engine import async_engine
from alembic_online.postgres.connection.url import parse_url
from tests.alembic_online.cli.running import verb
from tests.alembic_online.postgres.connection.connecting import PGBOUNCER
from tests.alembic_online.project import Project
from tests.api.pgbouncer import transaction_pooler
from tests.servers import server_directory

SAYS = "shop/7@041_add_email"
WHO = text("SELECT current_setting('application_name')")


def url_for(url: str, driver: str) -> str:
    return url.replace("postgresql://", f"postgresql+{driver}://", 1)


def stamped(engine: Any) -> Any:
    return stamp_engine(engine, "041_add_email", product="shop", release="7")


@contextmanager
def sync_engine(url: str, driver: str, **options: Any) -> Iterator[Engine]:
    engine = stamped(create_engine(url_for(url, driver), **options))
    try:
        yield engine
    finally:
        engine.dispose()


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_a_sync_engine_says_it_on_every_connection(database: str, driver: str) -> None:
    with sync_engine(database, driver) as engine:
        with engine.connect() as one, engine.connect() as other:
            said = {each.scalar(WHO) for each in (one, other)}
            one.execute(text("RESET ALL"))
            said.add(one.scalar(WHO))
            one.rollback()
        assert said == {f"{SAYS} {socket.gethostname()}"}


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_an_engine_with_a_creator_says_it_too(database: str, driver: str) -> None:
    connect = __import__(driver).connect
    with sync_engine(database, driver, creator=lambda: connect(database)) as engine, engine.connect() as connection:
        connection.rollback()
        assert str(connection.scalar(WHO)).startswith(SAYS)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_an_async_engine_says_it(database: str, driver: str) -> None:
    engine = stamped(create_async_engine(url_for(database, driver)))
    async with engine.connect() as connection:
        assert str(await connection.scalar(WHO)).startswith(SAYS)
    await engine.dispose()


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_an_engine_of_ours_says_it(database: str, driver: str) -> None:
    engine = stamped(async_engine(parse_url(url_for(database, driver)), application_name="before"))
    async with engine.connect() as connection:
        assert str(await connection.scalar(WHO)).startswith(SAYS)
    await engine.dispose()


def test_an_engine_of_another_database_is_left_alone() -> None:
    engine = stamped(create_engine("sqlite://"))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()


def test_an_engine_of_another_driver_is_left_alone(database: str) -> None:
    engine = create_engine(url_for(database, "psycopg"))
    engine.dialect.driver = "pg8000"  # whose connections tell nothing by themselves
    with stamped(engine).connect() as connection:
        assert connection.scalar(WHO) == ""
    engine.dispose()


def test_of_a_project_its_heads_are_said(database: str, project: Project) -> None:
    project.revision("one")
    project.revision("two", "one")
    engine = create_engine(url_for(database, "psycopg"))
    with stamp_engine(engine, Config(project.folder / "alembic.ini"), product="shop").connect() as connection:
        assert str(connection.scalar(WHO)).startswith("shop/@two")
    engine.dispose()


@PGBOUNCER
@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
async def test_a_pooler_hands_it_on(database: str, driver: str) -> None:
    with (
        server_directory() as folder,
        transaction_pooler(database, folder) as pooled,
        sync_engine(pooled, driver) as engine,
        psycopg.connect(pooled, application_name="another") as other,
    ):
        other.execute("SELECT 1")
        other.commit()  # gives its server connection to whoever comes next
        with engine.connect() as connection:
            assert str(connection.scalar(WHO)).startswith(SAYS)


@asynccontextmanager
async def connected(url: str, release: str, revision: str, connections: int) -> AsyncIterator[None]:
    engine = create_engine(url_for(url, "psycopg"))
    stamp_engine(engine, revision, product="shop", release=release)
    opened = [engine.connect() for _ in range(connections)]
    try:
        yield
    finally:
        for each in opened:
            each.close()
        engine.dispose()


async def test_the_verb_shows_every_release_and_who_says_nothing(database: str) -> None:
    with psycopg.connect(database, application_name="cron"), psycopg.connect(database, application_name="psql"):
        async with connected(database, "6", "040_old", 2), connected(database, "7", "041_new", 1):
            code, printed, _ = await verb(database, "releases", "--json")
            _, table, _ = await verb(database, "releases")
    assert code == 0
    found = json.loads(printed)
    assert [(each["product"], each["release"], each["heads"], each["connections"]) for each in found] == [
        ("shop", "6", "040_old", 2),
        ("shop", "7", "041_new", 1),
        ("a session named 'cron' of role postgres", "", "", 1),
    ]
    assert found[0]["hosts"] == [socket.gethostname()]
    assert found[0]["since"]
    assert [each["unknown"] for each in found] == [False, False, True]
    for words in ("040_old", "041_new", "unknown", socket.gethostname()):
        assert words in table


async def test_nobody_is_said_too(database: str) -> None:
    assert await verb(database, "releases") == (0, "Nobody is connected.\n", "")
