"""Ending what is in the way: by cancelling where that helps, else by ending the session; and who may."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.blockers import end, holders_of
from alembic_online.postgres.errors import AccessRefused
from alembic_online.postgres.locks import LockMode
from tests.alembic_online.postgres.blockers.roles import as_role, asking_as, role
from tests.sessions import session, until, waiting

GRACE = 20.0  # seconds, which only a failing test waits


async def test_a_running_statement_is_cancelled_and_its_session_lives_on(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    async with session(database) as gate, session(database) as runner:
        await gate.execute("SELECT pg_advisory_lock(7)")
        await runner.execute("BEGIN; LOCK chapters")
        async with waiting(runner, chapters, "SELECT pg_advisory_lock(7)") as pid:
            ending = await end(asker, pid, grace=GRACE)
        assert (ending.pid, ending.outcome) == (pid, "cancelled")
        assert ending.sentence == f"The statement of pid {pid} (postgres) was cancelled."
        assert await holders_of(asker, "chapters", LockMode.ACCESS_SHARE) == []
        await runner.execute("ROLLBACK")
        assert await runner.fetchval("SELECT 1") == 1


async def test_an_idle_transaction_has_nothing_to_cancel_and_its_session_is_ended_at_once(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    async with session(database) as holder:
        await holder.execute("BEGIN; LOCK chapters")
        pid = holder.get_server_pid()
        ending = await asyncio.wait_for(end(asker, pid, grace=GRACE), GRACE / 2)
        assert ending.outcome == "terminated"
        assert ending.sentence == f"The session of pid {pid} (postgres) was ended."
        assert await holders_of(asker, "chapters", LockMode.ACCESS_SHARE) == []


async def test_a_statement_that_shrugs_off_the_cancel_is_ended_after_the_grace(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    stubborn = """DO $$ BEGIN LOOP BEGIN
      PERFORM pg_advisory_lock(7);
    EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$"""
    async with session(database) as gate, session(database) as runner:
        await gate.execute("SELECT pg_advisory_lock(7)")
        await runner.execute("BEGIN; LOCK chapters")
        running = asyncio.create_task(runner.execute(stubborn))
        pid = runner.get_server_pid()
        await until(lambda: chapters.fetchval("SELECT true FROM pg_locks WHERE pid = $1 AND NOT granted", pid))
        time = Clock()
        ending = await end(asker, pid, grace=3.0, clock=time.clock, sleep=time.sleep)
        assert (ending.outcome, time.now >= 3.0) == ("terminated", True)
        with pytest.raises(asyncpg.PostgresConnectionError):
            await running


class Clock:
    """Time that passes only while somebody sleeps, so that no test does."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0.02)  # the server's turn


async def test_who_holds_nothing_is_left_alone(
    database: str, asker: AsyncConnection, chapters: asyncpg.Connection
) -> None:
    async with session(database) as idle:
        assert (await end(asker, idle.get_server_pid(), grace=GRACE)).outcome == "holds nothing"
        assert await idle.fetchval("SELECT 1") == 1


async def test_a_pid_that_is_not_there_and_ones_own_are_said_to_be_no_other_backend(asker: AsyncConnection) -> None:
    own = await asker.scalar(text("SELECT pg_backend_pid()"))
    for pid in (own, 2_000_000_000):
        ending = await end(asker, pid, grace=GRACE)
        assert (ending.outcome, ending.sentence) == ("not there", f"No other backend has the pid {pid}.")


async def test_a_role_that_may_not_signal_is_told_the_grant_and_with_it_it_may(
    database: str, chapters: asyncpg.Connection
) -> None:
    async with (
        role(chapters) as me,
        role(chapters, "GRANT ALL ON chapters TO {role}") as other,
        session(as_role(database, other)) as holder,
        asking_as(database, me) as asker,
    ):
        await holder.execute("BEGIN; SELECT FROM chapters")
        pid = holder.get_server_pid()
        with pytest.raises(AccessRefused) as refusal:
            await end(asker, pid, grace=0.1)
        assert str(refusal.value) == (
            f"The role {me} may not end pid {pid}, which belongs to role {other}.\n"
            f"Ask an administrator for: GRANT pg_signal_backend TO {me}"
        )
        assert await holder.fetchval("SELECT 1") == 1
        await chapters.execute(f"GRANT pg_signal_backend TO {me}")
        assert (await end(asker, pid, grace=0.1)).outcome == "terminated"


async def test_a_superusers_backend_is_for_superusers(database: str, chapters: asyncpg.Connection) -> None:
    async with role(chapters, "GRANT pg_signal_backend TO {role}") as me, session(database) as holder:
        await holder.execute("BEGIN; SELECT FROM chapters")
        async with asking_as(database, me) as asker:
            with pytest.raises(AccessRefused) as refusal:
                await end(asker, holder.get_server_pid(), grace=0.1)
        assert refusal.value.remedy == "Only a superuser may: connect as one."
