"""The embedded server: started by its first user, shared, and stopped when the last one leaves, however he leaves."""

import os
import runpy
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from alembic_online.postgres.embedded import start
from alembic_online.postgres.errors import InvalidURL, ServerUnreachable
from tests.paths import BACKEND

USER = """
import sys, psycopg
from alembic_online.postgres.embedded import start
from alembic_online.postgres.errors import UserError
try:
    url = start(sys.argv[1])
except UserError as error:
    sys.exit(str(error))
with psycopg.connect(url) as connection:
    print(connection.execute("SELECT pg_postmaster_start_time()").fetchone()[0], flush=True)
    if sys.argv[2:]:
        input()
"""


def user(url: str, *, stays: bool = False) -> subprocess.Popen[str]:
    """A process of its own that uses the server, and waits for a line if it stays."""
    command = [sys.executable, "-c", USER, url, *(["stay"] if stays else [])]
    return subprocess.Popen(command, cwd=BACKEND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def leave(process: subprocess.Popen[str]) -> str:
    """Let it go; returns when its server was started."""
    output, _ = process.communicate("\n", timeout=180)
    assert process.returncode == 0
    return output.splitlines()[0]


def postmaster(data: Path) -> psutil.Process | None:
    """The running server of the data directory."""
    pid = data / "postmaster.pid"
    try:
        return psutil.Process(int(pid.read_text().split()[0]))
    except (FileNotFoundError, psutil.NoSuchProcess):
        return None


def test_threads_that_want_it_at_once_all_get_it(data: Path) -> None:
    threads = (
        "from concurrent.futures import ThreadPoolExecutor as Pool\n"
        "from alembic_online.postgres.embedded import start\n"
        f"print(len(set(Pool(8).map(lambda _: start('embedded://{data}'), range(80)))))"
    )
    done = subprocess.run([sys.executable, "-c", threads], cwd=BACKEND, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("1", 0), done.stderr


def test_processes_at_once_share_one_server_and_the_last_one_stops_it(data: Path) -> None:
    url = f"embedded://{data}"
    with ThreadPoolExecutor(8) as pool:
        started = set(pool.map(lambda _: leave(user(url)), range(1)))  # makes the data directory
        assert postmaster(data) is None
        staying = user(url, stays=True)
        assert staying.stdout is not None
        begun = staying.stdout.readline().strip()
        assert set(pool.map(lambda _: leave(user(url)), range(4))) == {begun}
    assert begun not in started
    assert postmaster(data) is not None
    staying.communicate("\n", timeout=180)
    assert postmaster(data) is None


def test_after_a_kill_the_next_user_is_the_last_again(made_data: Path) -> None:
    url = f"embedded://{made_data}"
    killed = user(url, stays=True)
    assert killed.stdout is not None
    assert killed.stdout.readline()
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert postmaster(made_data) is not None
    leave(user(url))
    assert postmaster(made_data) is None


@pytest.mark.prove
def test_after_a_kill_of_the_server_it_recovers(made_data: Path) -> None:
    url = f"embedded://{made_data}"
    leave(user(url))
    staying = user(url, stays=True)
    assert staying.stdout is not None
    assert staying.stdout.readline()
    server = postmaster(made_data)
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    psutil.wait_procs([server])
    staying.kill()
    staying.communicate()
    leave(user(url))


def test_a_version_that_the_wheel_does_not_hold(data: Path) -> None:
    with pytest.raises(InvalidURL, match="asks for PostgreSQL 9"):
        start(f"embedded://{data}?version=9")


def test_data_of_another_version_is_not_touched(data: Path) -> None:
    data.mkdir()
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(InvalidURL, match=r"made by PostgreSQL 16, and version 18 was asked for"):
        start(f"embedded://{data}")
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_a_url_without_a_directory() -> None:
    with pytest.raises(InvalidURL, match="names no data directory"):
        start("embedded://")


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "50%41").write_text("")
    with pytest.raises(ServerUnreachable, match=r"50%41/data does not start: .*50%41'"):
        start(f"embedded://{tmp_path}/50%2541/data")


def test_a_server_that_does_not_start_says_in_a_few_lines_why_and_where_its_log_is(made_data: Path) -> None:
    leave(user(f"embedded://{made_data}"))
    (made_data / "postgresql.auto.conf").write_text("port = none\n")
    command = [sys.executable, "-c", USER, f"embedded://{made_data}"]
    refused = subprocess.run(command, cwd=BACKEND, stderr=subprocess.PIPE, text=True)
    problem, log, remedy = refused.stderr.splitlines()
    assert problem == f"The embedded PostgreSQL 18 in {made_data} does not start: pg_ctl failed."
    assert log.startswith("Its log ends: ")
    assert 'FATAL:  configuration file "' in log
    assert remedy.startswith(f"Read {made_data / 'log'}; ")


@pytest.mark.prove
def test_a_checkout_may_have_any_name_and_keeps_its_data_to_itself(folder: Path) -> None:
    checkout = folder / "it's a #1? 50%41+&;(é)"
    settings = checkout / "backend" / "src" / "settings.py"
    settings.parent.mkdir(parents=True)
    shutil.copy(BACKEND / "src" / "settings.py", settings)
    default = runpy.run_path(str(settings))["EMBEDDED_URL"]
    leave(user(default))
    assert [path.name for path in folder.iterdir()] == [checkout.name]
    assert (checkout / ".postgres" / "PG_VERSION").read_text() == "18\n"


@pytest.mark.parametrize(("path", "character"), [("a$b", "$"), ('a"b', '"'), ("a%60b", "`"), ("a%00b", "x00")])
def test_a_character_that_pg_ctl_cannot_pass_on(folder: Path, path: str, character: str) -> None:
    with pytest.raises(InvalidURL, match="in its path, which pg_ctl cannot pass") as refusal:
        start(f"embedded://{folder}/{path}", source="DATABASE_URL")
    assert character in refusal.value.problem
    assert not list(folder.iterdir())
