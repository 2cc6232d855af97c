"""Blockers that are no client's session: autovacuum of both kinds, and prepared transactions."""

from collections.abc import Iterator

import psycopg
import pytest

from alembic_online.postgres.blockers import Blocker, all_blockers, end, holders_of
from alembic_online.postgres.embedded import start_server
from alembic_online.postgres.errors import AccessRefused
from alembic_online.postgres.locks import LockMode
from tests.alembic_online.postgres.blockers.roles import asking_as, role
from tests.servers import ServerDirectory, new_data
from tests.sessions import session, until, waiting

_SETTINGS = {"fsync": "off", "autovacuum_naptime": "1s", "max_prepared_transactions": "5"}
# One page in 100 ms, so that it is still at work when it is looked at.
_SLOW = "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1"
_ROWS = "INSERT INTO chapters SELECT i, repeat('x', 500) FROM generate_series(1, 3000) i; DELETE FROM chapters"
_SPEND_TRANSACTION_IDS = """
CREATE PROCEDURE spend() LANGUAGE plpgsql AS
  'BEGIN FOR i IN 1..100100 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END';
"""


@pytest.fixture(
    scope="module", params=[18, pytest.param(16, marks=pytest.mark.prove)], ids=lambda version: f"pg{version}"
)
def own_server(request: pytest.FixtureRequest, server_directory: ServerDirectory) -> Iterator[str]:
    """The URL of a server that vacuums every second, and prepares transactions."""
    with server_directory() as directory:
        running = start_server(
            new_data(directory, request.param), version=request.param, temporary=True, settings=_SETTINGS
        )
        yield running.get_uri()
        running.cleanup()


@pytest.fixture
def own(own_server: str) -> Iterator[str]:
    """The URL of the server's database, without the table `chapters`."""
    yield own_server
    with psycopg.connect(own_server, autocommit=True) as connection:
        connection.execute("SET lock_timeout = '10s'")
        connection.execute("DROP TABLE chapters")


async def fill(url: str, options: str = _SLOW) -> None:
    """Make `chapters`, full of dead rows; autovacuum hears of them at once, because this session leaves."""
    async with session(url) as client:
        await client.execute(f"CREATE TABLE chapters (id int, title text) WITH ({options}); {_ROWS}")


async def vacuuming(url: str, mode: LockMode) -> Blocker:
    """The autovacuum that is at work on `chapters`, once it is."""
    async with asking_as(url, "postgres") as asker:
        [blocker] = await until(lambda: holders_of(asker, "chapters", mode))
    return blocker


async def test_an_autovacuum_is_told_and_may_be_cancelled(own: str) -> None:
    await fill(own)
    blocker = await vacuuming(own, LockMode.SHARE_UPDATE_EXCLUSIVE)
    assert (blocker.kind, blocker.role, blocker.mode) == ("autovacuum", None, LockMode.SHARE_UPDATE_EXCLUSIVE)
    assert blocker.query is not None
    assert blocker.query.startswith("autovacuum: VACUUM ")
    assert blocker.pid is not None
    async with asking_as(own, "postgres") as asker:
        assert (await end(asker, blocker.pid, grace=20)).outcome == "cancelled"


async def test_an_autovacuum_that_a_role_may_not_end_names_what_is_needed(own: str) -> None:
    await fill(own)
    async with session(own) as client, role(client, "GRANT pg_signal_backend TO {role}") as me:
        blocker = await vacuuming(own, LockMode.SHARE_UPDATE_EXCLUSIVE)
        assert blocker.pid is not None
        async with asking_as(own, me) as asker:
            with pytest.raises(AccessRefused) as refusal:
                await end(asker, blocker.pid, grace=20)
            [unseen] = await holders_of(asker, "chapters", LockMode.SHARE_UPDATE_EXCLUSIVE)
        newer = client.get_server_version().major >= 18
        needed = f"GRANT pg_signal_autovacuum_worker TO {me}" if newer else "only one may end it"
        assert needed in refusal.value.remedy
        assert (unseen.kind, unseen.query) == ("background process", None)


async def test_an_autovacuum_against_wraparound_is_told_as_one(own: str) -> None:
    async with session(own) as client:
        await fill(own, f"{_SLOW}, autovacuum_enabled = off")
        await client.execute(_SPEND_TRANSACTION_IDS)
        await client.execute("CALL spend()")
        await client.execute("DROP PROCEDURE spend; ALTER TABLE chapters SET (autovacuum_freeze_max_age = 100000)")
        blocker = await vacuuming(own, LockMode.SHARE_UPDATE_EXCLUSIVE)
        assert blocker.kind == "anti-wraparound autovacuum"
        assert blocker.pid is not None
        async with asking_as(own, "postgres") as asker:
            assert (await end(asker, blocker.pid, grace=20)).outcome == "cancelled"


async def test_a_prepared_transaction_is_told_by_its_name(own: str) -> None:
    async with session(own) as holder, session(own) as waiter, session(own) as watcher:
        await holder.execute("CREATE TABLE chapters (id int)")
        await holder.execute("BEGIN; LOCK chapters; PREPARE TRANSACTION 'transfer 4711'")
        async with asking_as(own, "postgres") as asker, waiting(waiter, watcher, "TABLE chapters") as pid:
            [holder_] = await holders_of(asker, "chapters", LockMode.SHARE)
            [queue] = await all_blockers(asker)
        await holder.execute("ROLLBACK PREPARED 'transfer 4711'")
    for told in (holder_, queue.head):
        assert (told.pid, told.kind, told.role) == (None, "prepared transaction", "postgres")
        assert (told.query, told.mode) == ("transfer 4711", LockMode.ACCESS_EXCLUSIVE)
        assert told.transaction_age is not None
    assert [blocker.pid for blocker in queue] == [None, pid]
