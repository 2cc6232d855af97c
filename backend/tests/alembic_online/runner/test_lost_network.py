"""A network that is lost in the middle of a migration: not a packet arrives any more, and nobody says so."""

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from alembic_online.postgres.embedded import start_server
from tests.alembic_online.project import Project
from tests.alembic_online.runner import gate
from tests.alembic_online.runner.outcomes import outcomes
from tests.alembic_online.runner.processes import Migrator, until
from tests.api.network import Proxy, listening, through
from tests.longer_proofs import every
from tests.servers import ServerDirectory, new_data, pg_ctl

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there may a socket refuse all packets")
Start = Callable[..., Migrator]
PATIENCE = "2"  # seconds, the least that there is
CIC = 'op.create_index("ix", "books", ["id"], postgresql_concurrently=True)'
drivers = pytest.mark.parametrize("driver", every(2, ["asyncpg", "psycopg"]))
LOCKS = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"


@pytest.fixture(scope="module")
def over_tcp(server_directory: ServerDirectory) -> Iterator[str]:
    """The URL of a server that listens on TCP: a Unix socket has no network that could be lost."""
    with server_directory() as directory, socket.create_server(("127.0.0.1", 0)) as probe:
        running = start_server(new_data(directory), temporary=True, settings={"fsync": "off"})
        port = probe.getsockname()[1]
        probe.close()
        pg_ctl(directory / "data", "restart", "-m", "fast", "-o", f"-h 127.0.0.1 -p {port} -k {directory}/data")
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        pg_ctl(directory / "data", "stop", "-m", "immediate")
        running.cleanup()


@pytest.fixture
def books(over_tcp: str) -> Iterator[str]:
    """The URL of a new database with a table."""
    with psycopg.connect(over_tcp, autocommit=True) as admin:
        admin.execute("CREATE DATABASE lost")
        url = f"{over_tcp.rpartition('/')[0]}/lost"
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("CREATE TABLE books (id integer)")
        yield url
        admin.execute("DROP DATABASE lost WITH (FORCE)")


@contextmanager
def network(url: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yields the URL through a network, and what loses it."""
    proxy, loop, done = Proxy(url), asyncio.new_event_loop(), asyncio.Event()
    port: list[int] = []

    async def serve() -> None:
        async with listening(proxy) as number:
            port.append(number)
            await done.wait()

    def lose() -> None:
        loop.call_soon_threadsafe(proxy.vanish)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield through(until(lambda: port)[0], url), lose
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()


@pytest.fixture
def watcher(books: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(books, autocommit=True) as session:
        yield session


def lost(running: Migrator) -> None:
    assert running.exit_code() == 11, running.output
    assert "The connection was lost" in running.output
    assert "run the same command again" in running.output
    assert "Traceback" not in running.output


@drivers
@pytest.mark.parametrize("block", ["if True:", "with op.get_context().autocommit_block():"])
def test_both_ends_notice_the_server_rolls_back_and_frees_the_lock_and_the_next_run_finishes(
    project: Project, books: str, watcher: psycopg.Connection, start: Start, driver: str, block: str
) -> None:
    insert = 'op.execute("INSERT INTO books VALUES (1)")'
    project.revision("001_a", upgrade=f'{insert}\n    {block}\n        op.execute("{gate.STEP}")\n    {insert}')
    with network(books) as (url, lose), gate.closed(books) as closed:
        mine = url.replace("postgresql:", f"postgresql+{driver}:")
        running = start(project, mine, "upgrade", "head", MIGRATION_NETWORK_TIMEOUT=PATIENCE)
        pid = closed.noted()
        lose()
        until(lambda: not watcher.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone())
        until(lambda: not watcher.execute(LOCKS).fetchone())
        lost(running)
    project.alembic(books, "upgrade", "head")
    assert watcher.execute("SELECT count(*) FROM books").fetchone() == (2,)
    assert outcomes(watcher)[-1] == "done"


@drivers
def test_what_the_server_finishes_on_its_own_meanwhile_is_found_done(
    project: Project, books: str, watcher: psycopg.Connection, start: Start, driver: str
) -> None:
    project.revision("001_a", upgrade=CIC)
    with network(books) as (url, lose):
        mine = url.replace("postgresql:", f"postgresql+{driver}:")
        with psycopg.connect(books) as writer:
            writer.execute("INSERT INTO books VALUES (1)")
            running = start(project, mine, "upgrade", "head", MIGRATION_NETWORK_TIMEOUT=PATIENCE)
            waits = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE%CONC%' AND wait_event_type = 'Lock'"
            until(lambda: watcher.execute(waits).fetchone())
            lose()
        built = "SELECT indexrelid::int FROM pg_index WHERE indisvalid AND indrelid = 'books'::regclass"
        index = until(lambda: watcher.execute(built).fetchone())
        until(lambda: not watcher.execute(LOCKS).fetchone())
        lost(running)
    project.alembic(books, "upgrade", "head")
    assert watcher.execute(built).fetchall() == [index]
    assert outcomes(watcher)[-1] == "done"
