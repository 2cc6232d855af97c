"""Who holds, who waits: told of real sessions, whoever asks, and without a value of theirs."""

import asyncio
from contextlib import AsyncExitStack

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.blockers import Queue, UnqueuedWait, all_blockers, blockers_of, holders_of, idle_holders
from alembic_online.postgres.locks import LockMode
from tests.alembic_online.postgres.blockers.roles import as_role, asking_as, role
from tests.servers import Server
from tests.sessions import session, until, waiting

SECRET = "4711-secret"
READ = f"SELECT * FROM chapters WHERE title = '{SECRET}'"


async def test_an_idle_transaction_is_told_with_its_table_its_mode_and_its_last_query(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    async with session(database, application_name="report") as holder:
        client = await holder.fetchval("SELECT host(inet_client_addr())")  # none on a socket
        await holder.execute(f"BEGIN; {READ}")
        [blocker] = await holders_of(asker, "chapters", LockMode.ACCESS_EXCLUSIVE)
        assert (blocker.pid, blocker.kind, blocker.role) == (holder.get_server_pid(), "client", "postgres")
        assert (blocker.application, blocker.state, blocker.client) == ("report", "idle in transaction", client)
        assert (blocker.relation, blocker.mode, blocker.lock_type) == ("chapters", LockMode.ACCESS_SHARE, "relation")
        assert (blocker.waiting, blocker.wanted) == (False, LockMode.ACCESS_EXCLUSIVE)
        assert blocker.wait_event == "Client: ClientRead"
        assert blocker.transaction_age is not None
        assert blocker.state_age is not None
        assert 0 <= blocker.state_age <= blocker.transaction_age < 60
        assert blocker.query == "BEGIN; SELECT * FROM chapters WHERE title = ?"


async def test_only_modes_that_conflict_count_and_neither_ones_own_locks_nor_those_left_out(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    async with session(database) as holder:
        await holder.execute("BEGIN; LOCK chapters IN ROW EXCLUSIVE MODE; SELECT FROM chapters")
        pid = holder.get_server_pid()
        assert [b.mode for b in await holders_of(asker, "chapters", LockMode.SHARE)] == [LockMode.ROW_EXCLUSIVE]
        assert await holders_of(asker, "public.chapters", LockMode.SHARE_UPDATE_EXCLUSIVE) == []
        assert await holders_of(asker, "chapters", LockMode.SHARE, not_pids=[pid]) == []
        [strongest] = await holders_of(asker, "chapters", LockMode.ACCESS_EXCLUSIVE, not_pids=[1, 2])
        assert strongest.mode is LockMode.ROW_EXCLUSIVE
        await asker.execute(text("SELECT FROM chapters"))
        assert await holders_of(asker, "nowhere", LockMode.ACCESS_EXCLUSIVE) == []


async def test_a_second_look_in_one_transaction_sees_what_has_changed(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    await asker.execute(text("BEGIN"))
    async with session(database) as holder:
        await holder.execute("BEGIN; SELECT FROM chapters")
        [first] = await holders_of(asker, "chapters", LockMode.ACCESS_EXCLUSIVE)
        await holder.execute("SELECT * FROM chapters LIMIT 1")
        [second] = await holders_of(asker, "chapters", LockMode.ACCESS_EXCLUSIVE)
    assert (first.query, second.query) == ("BEGIN; SELECT FROM chapters", "SELECT * FROM chapters LIMIT ?")


async def test_a_running_query_is_told_as_active(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    async with session(database) as gate, session(database) as runner:
        await gate.execute("SELECT pg_advisory_lock(7)")
        async with waiting(runner, chapters, "SELECT pg_advisory_lock(7) FROM chapters") as pid:
            [blocker] = await holders_of(asker, "chapters", LockMode.ACCESS_EXCLUSIVE)
            assert (blocker.pid, blocker.state, blocker.wait_event) == (pid, "active", "Lock: advisory")
            [gatekeeper] = await blockers_of(asker, pid)
            assert (gatekeeper.pid, gatekeeper.lock_type) == (gate.get_server_pid(), "advisory")
            assert gatekeeper.relation is None


async def test_a_waiter_is_told_whom_it_waits_for_with_what_is_wanted(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    async with session(database) as holder, session(database) as waiter:
        await holder.execute("BEGIN; INSERT INTO chapters VALUES (2)")
        async with waiting(waiter, chapters, "CREATE INDEX ON chapters (title)") as pid:
            [blocker] = await blockers_of(asker, pid)
            assert (blocker.pid, blocker.relation) == (holder.get_server_pid(), "chapters")
            assert (blocker.mode, blocker.wanted) == (LockMode.ROW_EXCLUSIVE, LockMode.SHARE)
        assert await blockers_of(asker, holder.get_server_pid()) == []


async def test_a_row_that_is_waited_for_is_told_as_a_transaction(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    async with session(database) as holder, session(database) as waiter:
        await holder.execute("BEGIN; UPDATE chapters SET title = 'two'")
        async with waiting(waiter, chapters, "UPDATE chapters SET title = 'three'") as pid:
            [blocker] = await blockers_of(asker, pid)
            assert (blocker.pid, blocker.lock_type, blocker.relation) == (
                holder.get_server_pid(),
                "transactionid",
                None,
            )


def pids(queue: Queue) -> tuple[int | None, list[object]]:
    """The tree, by pids."""
    return queue.head.pid, [pids(behind) for behind in queue.behind]


async def test_a_chain_of_two_waiters_is_a_tree_whose_root_waits_for_nobody(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    assert await all_blockers(asker) == []
    async with session(database) as holder, session(database) as ddl, session(database) as reader:
        await holder.execute("BEGIN; SELECT FROM chapters")
        async with (
            waiting(ddl, chapters, "ALTER TABLE chapters ADD COLUMN x int"),
            waiting(reader, chapters, "SELECT FROM chapters"),
        ):
            [queue] = await all_blockers(asker)
            first, second, third = queue
            expected = holder.get_server_pid(), ddl.get_server_pid(), reader.get_server_pid()
            assert pids(queue) == (expected[0], [(expected[1], [(expected[2], [])])])
            assert (first.mode, first.held, first.waiting) == (LockMode.ACCESS_SHARE, True, False)
            assert (second.mode, second.held, second.waiting) == (LockMode.ACCESS_EXCLUSIVE, False, True)
            assert (third.mode, third.held, third.waiting) == (LockMode.ACCESS_SHARE, False, True)
            wanted = [LockMode.ACCESS_EXCLUSIVE, LockMode.ACCESS_SHARE, None]
            assert [blocker.wanted for blocker in queue] == wanted
            [ahead] = await blockers_of(asker, expected[2])
            assert (ahead.pid, ahead.waiting) == (expected[1], True)


async def test_who_waits_without_queueing_is_told_behind_those_whom_it_waits_for_until_it_waits_no_longer(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    async with session(database) as holder, session(database) as polite, asking_as(database, "postgres") as announcing:
        await holder.execute("BEGIN; SELECT FROM chapters; SELECT pg_sleep(0.1)")
        await polite.execute("BEGIN; SELECT FROM chapters")
        me = polite.get_server_pid()
        assert await UnqueuedWait.begin(announcing, "nowhere", LockMode.SHARE, me) is None
        weak = await UnqueuedWait.begin(announcing, "chapters", LockMode.SHARE, me)
        assert weak is not None
        assert await all_blockers(asker) == []
        await weak.end(announcing)
        strong = await UnqueuedWait.begin(announcing, "chapters", LockMode.ACCESS_EXCLUSIVE, me)
        assert strong is not None
        [queue] = await all_blockers(asker)
        assert pids(queue) == (holder.get_server_pid(), [(me, [])])
        head, waiter = queue
        assert (head.mode, head.wanted, head.relation) == (LockMode.ACCESS_SHARE, LockMode.ACCESS_EXCLUSIVE, "chapters")
        assert (waiter.mode, waiter.held, waiter.waiting) == (LockMode.ACCESS_EXCLUSIVE, False, True)
        await strong.end(announcing)
        assert await all_blockers(asker) == []


async def test_who_holds_one_table_and_waits_for_another_is_no_head(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    await chapters.execute("CREATE TABLE modules (id int)")
    async with session(database) as head, session(database) as middle, session(database) as last:
        await head.execute("BEGIN; LOCK chapters")
        await middle.execute("BEGIN; LOCK modules")
        async with waiting(middle, chapters, "TABLE chapters"), waiting(last, chapters, "TABLE modules"):
            [queue] = await all_blockers(asker)
            first, second, third = queue
            assert [first.pid, second.pid, third.pid] == [c.get_server_pid() for c in (head, middle, last)]
            assert (second.relation, second.held, second.waiting) == ("modules", True, True)


async def test_a_deadlock_is_told_and_does_not_go_round_for_ever(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    async with session(database, deadlock_timeout="1h") as one, session(database, deadlock_timeout="1h") as other:
        await one.execute("BEGIN; SELECT pg_advisory_lock(1)")
        await other.execute("BEGIN; SELECT pg_advisory_lock(2)")
        async with (
            waiting(one, chapters, "SELECT pg_advisory_lock(2)") as first,
            waiting(other, chapters, "SELECT pg_advisory_lock(1)") as second,
        ):
            [queue] = await all_blockers(asker)
            assert {blocker.pid for blocker in queue} == {first, second}
            async with session(database) as holder, session(database) as waiter:
                await holder.execute("SELECT pg_advisory_lock(3)")
                async with waiting(waiter, chapters, "SELECT pg_advisory_lock(3)") as third:
                    told = [[blocker.pid for blocker in queue] for queue in await all_blockers(asker)]
                    assert [holder.get_server_pid(), third] in told
                    assert sorted(map(len, told)) == [2, 2]


async def test_of_many_who_wait_for_all_before_them_each_is_told_once(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    async with session(database) as holder, AsyncExitStack() as stack:
        await holder.execute("BEGIN; SELECT FROM chapters")
        pids = [holder.get_server_pid()]
        for _ in range(20):
            waiter = await stack.enter_async_context(session(database))
            pids.append(await stack.enter_async_context(waiting(waiter, chapters, "DROP TABLE chapters")))
        [queue] = await all_blockers(asker)
        assert sorted(blocker.pid or 0 for blocker in queue) == sorted(pids)


async def test_waits_in_another_database_are_no_matter_of_this_one(
    server: Server, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    with server.database() as elsewhere:
        async with session(elsewhere) as holder, session(elsewhere) as waiter, session(elsewhere) as watcher:
            await holder.execute("SELECT pg_advisory_lock(1)")
            async with waiting(waiter, watcher, "SELECT pg_advisory_lock(1)"):
                assert await all_blockers(asker) == []


async def test_another_migration_is_known_by_its_name(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    async with session(database, application_name="alembic 003_add_index") as migration:
        await migration.execute("BEGIN; LOCK chapters")
        [blocker] = await holders_of(asker, "chapters", LockMode.ACCESS_SHARE)
        assert blocker.kind == "another migration"


async def test_the_query_of_another_role_is_not_visible_and_the_grant_is_named(
    database: str, chapters: asyncpg.Connection
) -> None:
    async with role(chapters) as me, session(database) as holder, session(database) as waiter:
        await holder.execute(f"BEGIN; {READ}")
        async with waiting(waiter, chapters, "DROP TABLE chapters"), asking_as(database, me) as asker:
            [blocker] = await holders_of(asker, "chapters", LockMode.ACCESS_EXCLUSIVE)
            [queue] = await all_blockers(asker)
            for seen in (blocker, *queue):
                assert (seen.role, seen.query, seen.state) == ("postgres", None, None)
                assert seen.not_visible == f"GRANT pg_read_all_stats TO {me}"
            await chapters.execute(f"GRANT pg_read_all_stats TO {me}")
            [blocker] = await holders_of(asker, "chapters", LockMode.ACCESS_EXCLUSIVE)
            assert (blocker.not_visible, blocker.state) == (None, "idle in transaction")


async def test_ones_own_sessions_are_visible_without_any_grant(database: str, chapters: asyncpg.Connection) -> None:
    async with role(chapters, "GRANT ALL ON chapters TO {role}") as me, session(as_role(database, me)) as holder:
        await holder.execute("BEGIN; SELECT FROM chapters")
        async with asking_as(database, me) as asker:
            [blocker] = await holders_of(asker, "chapters", LockMode.ACCESS_EXCLUSIVE)
            assert (blocker.role, blocker.query, blocker.not_visible) == (me, "BEGIN; SELECT FROM chapters", None)


async def test_no_value_of_a_query_shows_unless_it_is_asked_for(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    async with session(database) as holder, session(database) as waiter:
        await holder.execute(f"BEGIN; {READ}")
        async with waiting(waiter, chapters, f"LOCK chapters; SELECT '{SECRET}'") as pid:
            told = [*await holders_of(asker, "chapters", LockMode.ACCESS_EXCLUSIVE), *await blockers_of(asker, pid)]
            told += [blocker for queue in await all_blockers(asker) for blocker in queue]
            assert len(told) == 4
            assert SECRET not in str(told)
            [queue] = await all_blockers(asker, show_literals=True)
            assert str([*queue]).count(SECRET) == 2


async def test_a_parallel_worker_is_not_told_beside_its_leader(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    workers = "SELECT count(*) FROM pg_locks WHERE relation = 'chapters'::regclass AND pid <> $1"
    async with session(database, debug_parallel_query="on") as holder:
        pid = holder.get_server_pid()
        running = asyncio.create_task(holder.execute("SELECT count(pg_sleep(60)) FROM chapters"))
        await until(lambda: chapters.fetchval(workers, pid))
        assert [blocker.pid for blocker in await holders_of(asker, "chapters", LockMode.ACCESS_EXCLUSIVE)] == [pid]
        await chapters.execute("SELECT pg_cancel_backend($1::int)", pid)
        with pytest.raises(asyncpg.QueryCanceledError):
            await running


async def test_who_is_idle_with_a_lock_on_a_table_is_told_though_nobody_waits(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    async with session(database) as holder, session(database) as bystander:
        await holder.execute("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT FROM chapters")
        await bystander.execute("BEGIN; SELECT FROM pg_class")
        [idle] = await idle_holders(asker)
        assert (idle.pid, idle.relation, idle.mode) == (holder.get_server_pid(), "chapters", LockMode.ACCESS_SHARE)
