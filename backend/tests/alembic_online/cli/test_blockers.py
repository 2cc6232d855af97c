"""`python -m alembic_online blockers`: the database's queues as a person reads them, and ending their heads."""

import asyncio
import json
import os
import pty
import re
import sys
from collections.abc import AsyncIterator

import asyncpg
import pytest

from alembic_online.cli.main import main
from tests.alembic_online.cli.running import url_in_environment, verb
from tests.paths import BACKEND
from tests.sessions import session, waiting

SECRET = "4711-secret"
IDLE = (
    r"pid {pid} \(postgres@\[bold\]bi, idle in transaction for \d+ s, in a transaction for \d+ s\): "
    r"{query}"
)


@pytest.fixture
async def chapters(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A session that has made the table `chapters`, and now watches."""
    async with session(database) as connection:
        await connection.execute("CREATE TABLE chapters (id int, title text)")
        yield connection


@pytest.fixture
async def report(database: str, chapters: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """A session that has read `chapters` and sits idle in its transaction."""
    async with session(database, application_name="[bold]bi") as connection:
        await connection.execute(f"BEGIN; SELECT 1 FROM chapters WHERE title = '{SECRET}'")
        yield connection


async def answering(url: str, answer: str, *arguments: str) -> tuple[int, str]:
    """Exit code and what the terminal shows, of a person who answers the question."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "alembic_online", *arguments, cwd=BACKEND, env={**os.environ, "DATABASE_URL": url},
        stdin=theirs, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    os.write(ours, f"{answer}\n".encode())
    stdout, _ = await process.communicate()
    os.close(ours)
    os.close(theirs)
    assert process.returncode is not None
    return process.returncode, stdout.decode()


async def alive(watcher: asyncpg.Connection, other: asyncpg.Connection) -> bool:
    """Whether the server still has the other's session: a connection that was ended fails in more than one way."""
    query = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)"
    return bool(await watcher.fetchval(query, other.get_server_pid()))


async def test_where_nobody_waits_it_says_so_and_exits_with_0(database: str, report: asyncpg.Connection) -> None:
    code, stdout, stderr = await verb(database, "blockers")
    assert (code, stdout, stderr) == (0, "Nobody holds anybody up.\n", "")


async def test_the_table_shows_the_head_and_below_it_who_waits_and_exits_with_1(
    database: str, chapters: asyncpg.Connection, report: asyncpg.Connection
) -> None:
    statement = "ALTER TABLE chapters ADD COLUMN x text DEFAULT 'y'"
    async with session(database, application_name="alembic") as ddl, waiting(ddl, chapters, statement) as pid:
        code, stdout, stderr = await verb(database, "blockers")
    header, head, below = stdout.splitlines()
    assert (code, stderr) == (1, "")
    assert header.split() == ["Pid", "Who", "State", "Transaction", "Lock", "Query"]
    assert head.startswith(f"{report.get_server_pid()}")
    assert "postgres@[bold]bi" in head
    assert "idle in transaction for" in head
    assert "holds ACCESS SHARE on chapters" in head
    assert head.rstrip().endswith("BEGIN; SELECT ? FROM chapters WHERE title = ?")
    assert below.startswith(f"└ {pid}")
    assert "another migration, Lock: relation for" in below
    assert "wants ACCESS EXCLUSIVE on chapters" in below
    assert below.rstrip().endswith("ALTER TABLE chapters ADD COLUMN x text DEFAULT ?")


async def test_json_holds_the_same_and_the_values_only_when_asked_for(
    database: str, chapters: asyncpg.Connection, report: asyncpg.Connection
) -> None:
    async with session(database) as ddl, waiting(ddl, chapters, "DROP TABLE chapters") as pid:
        code, hidden, _ = await verb(database, "blockers", "--json")
        _, shown, _ = await verb(database, "blockers", "--json", "--show-literals")
    assert (code, SECRET in hidden, SECRET in shown) == (1, False, True)
    [head] = json.loads(hidden)["blockers"]
    assert (head["pid"], head["mode"], head["wanted"]) == (report.get_server_pid(), "ACCESS SHARE", "ACCESS EXCLUSIVE")
    assert [behind["pid"] for behind in head["behind"]] == [pid]


async def test_ending_needs_yes_where_no_terminal_can_be_asked(
    database: str, chapters: asyncpg.Connection, report: asyncpg.Connection
) -> None:
    pid = str(report.get_server_pid())
    code, stdout, stderr = await verb(database, "blockers", "--end", pid)
    assert (code, stdout) == (2, "")
    said, chosen, next_step = stderr.splitlines()
    assert said == "Nothing was ended: nobody can be asked. Chosen:"
    assert re.fullmatch(IDLE.format(pid=pid, query=r"BEGIN; SELECT \? FROM chapters WHERE title = \?"), chosen), chosen
    assert next_step == "To end without being asked, add --yes."
    assert await report.fetchval("SELECT 1") == 1
    code, stdout, stderr = await verb(database, "blockers", "--end", pid, "--yes")
    ended, done = stdout.splitlines()
    assert re.fullmatch(IDLE.format(pid=pid, query=r"SELECT \?"), ended), ended
    assert (code, done, stderr) == (0, f"The session of pid {pid} (postgres) was ended.", "")
    assert not await alive(chapters, report)


@pytest.mark.parametrize(("answer", "code", "ended"), [("y", 0, True), ("n", 1, False), ("", 1, False)])
async def test_on_a_terminal_it_asks_and_only_yes_ends(
    database: str, chapters: asyncpg.Connection, report: asyncpg.Connection, answer: str, code: int, ended: bool
) -> None:
    async with session(database) as ddl, waiting(ddl, chapters, "DROP TABLE chapters"):
        pid = report.get_server_pid()
        exit_code, screen = await answering(database, answer, "blockers", "--end", str(pid))
        assert (exit_code, f"pid {pid} (postgres@[bold]bi, idle in transaction for" in screen) == (code, True)
        assert "End this?" in screen
        assert ("The session of pid" in screen, "Nothing was ended." in screen) == (ended, not ended)
        assert await alive(chapters, report) is not ended


async def test_ending_by_age_takes_idle_holders_and_heads_of_queues_that_are_older_and_nobody_else(
    database: str, chapters: asyncpg.Connection, report: asyncpg.Connection
) -> None:
    async with session(database) as bystander, session(database) as gate, session(database) as waiter:
        await bystander.execute("BEGIN; SELECT 1")  # idle in its transaction, and in nobody's way
        await gate.execute("BEGIN; SELECT pg_advisory_xact_lock(1)")
        async with waiting(waiter, chapters, "SELECT pg_advisory_xact_lock(1)"):
            code, stdout, _ = await verb(database, "blockers", "--end-older-than", "1h", "--yes")
            assert (code, stdout) == (0, "Nobody is in the way with a transaction that old.\n")
            code, stdout, _ = await verb(database, "blockers", "--end-older-than", "0s", "--yes", "--json")
        ended = {ending["pid"]: ending["outcome"] for ending in json.loads(stdout)["ended"]}
        expected = {report.get_server_pid(): "terminated", gate.get_server_pid(): "terminated"}
        assert (code, ended) == (0, expected)
        assert await bystander.fetchval("SELECT 1") == 1


async def test_a_pid_that_is_not_there_is_said_and_exits_with_1(database: str) -> None:
    code, stdout, _ = await verb(database, "blockers", "--end", "2000000000", "--yes")
    assert (code, stdout) == (1, "No other backend has the pid 2000000000.\n")


async def test_a_missing_grant_is_an_error_in_two_lines_that_exits_with_2(
    database: str, chapters: asyncpg.Connection, report: asyncpg.Connection
) -> None:
    await chapters.execute("CREATE ROLE may_not_signal LOGIN")
    try:
        url = database.replace("//postgres:", "//may_not_signal:")
        code, stdout, stderr = await verb(url, "blockers", "--end", str(report.get_server_pid()), "--yes")
    finally:
        await chapters.execute("DROP ROLE may_not_signal")
    assert (code, stdout) == (2, "")
    assert stderr.splitlines()[0].startswith("The role may_not_signal may not end pid")
    assert len(stderr.splitlines()) == 2


async def test_ending_by_age_needs_to_see_the_ages(
    database: str, chapters: asyncpg.Connection, report: asyncpg.Connection
) -> None:
    await chapters.execute("CREATE ROLE sees_nothing LOGIN")
    try:
        url = database.replace("//postgres:", "//sees_nothing:")
        async with session(database) as ddl, waiting(ddl, chapters, "DROP TABLE chapters"):
            code, stdout, stderr = await verb(url, "blockers", "--end-older-than", "0s", "--yes")
    finally:
        await chapters.execute("DROP ROLE sees_nothing")
    assert (code, stdout) == (2, "")
    assert stderr.splitlines()[1] == "Run: GRANT pg_read_all_stats TO sees_nothing"
    assert await report.fetchval("SELECT 1") == 1


def test_a_server_that_is_not_there_is_an_error_in_two_lines_that_exits_with_2(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with url_in_environment("postgresql://nobody@localhost:1/none"):
        assert main(["blockers"]) == 2
    stdout, stderr = capfd.readouterr()
    assert (stdout, len(stderr.splitlines())) == ("", 2)
    assert stderr.startswith("Nobody answers for database 'none' at localhost:1 as role 'nobody'.")


@pytest.mark.parametrize("age", ["5", "m", "5 m", "-5m", "5d", "five"])
def test_an_age_that_is_none_is_refused_with_what_to_write(age: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        main(["blockers", f"--end-older-than={age}"])
    assert refusal.value.code == 2
    assert f"{age!r} is no age: write it as 30s, 5m or 1h" in capfd.readouterr().err
