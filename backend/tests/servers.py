"""The servers that tests run on: out of the wheel, in a container, or one that is already there."""

import fcntl
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from alembic_online.postgres.embedded import NEWEST, end_server, program, start_server

_PLENTY = 4 * 2**30  # bytes
_SHARED = "SYLLABUS_TESTS_DATA"
# A test's data need not survive a power cut.
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "wal_level": "logical",
    "max_prepared_transactions": "4",
    "shared_buffers": "'64MB'",
}


ServerDirectory = Callable[[], AbstractContextManager[Path]]


@dataclass(eq=False)
class Server:
    """A running server; `admin` is the URL of a role that may create databases, by `postgresql://`."""

    admin: str
    version: int
    _session: psycopg.Connection[Any] | None = None
    """Kept: to connect twice was a third of what a database costs."""

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return urlunsplit(urlsplit(self.admin)._replace(path=f"/{database}"))

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """A new database, dropped at the end whoever is still connected; yields its URL."""
        name = f"test_{secrets.token_hex(6)}"
        self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY {_copied()}')
        try:
            yield self.url(name)
        finally:
            self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _administer(self, statement: str) -> None:
        if self._session is not None:
            try:
                self._session.execute(statement.encode())
            except psycopg.OperationalError:
                if not self._session.closed:
                    raise
            else:
                return
        self._session = psycopg.connect(self.admin, autocommit=True)  # the first, or a test has ended it
        self._session.execute(statement.encode())

    def close(self) -> None:
        """End the session; the server is somebody else's matter."""
        if self._session is not None:
            self._session.close()


def as_role(url: str, name: str, password: str = "") -> str:
    """`url` with another role in it."""
    split = urlsplit(url)
    return urlunsplit(split._replace(netloc=f"{name}:{password}@{split.netloc.rpartition('@')[2]}"))


def with_driver(url: str, driver: str) -> str:
    """`url` by another driver of SQLAlchemy's."""
    return url.replace("postgresql:", f"postgresql+{driver}:")


@contextmanager
def embedded(version: int, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """The server out of the wheel, with these settings besides, its data gone afterwards."""
    with server_directory() as directory:
        given = {**_FAST, **(settings or {})}
        running = start_server(new_data(directory, version), version=version, settings=given, temporary=True)
        with closing(Server(running.get_uri(), version)) as server:
            with psycopg.connect(server.url("template1")):
                pass  # leaves pg_internal.init, which is cloned too: without it each first session writes its own
            yield server
        running.cleanup()


def pg_ctl(data: Path, *arguments: str) -> None:
    """Run pg_ctl as the user that the server runs as."""
    owner = data.stat()
    command = [str(program("pg_ctl")), "-D", str(data), "-l", str(data / "log"), "-w", *arguments]
    subprocess.run(command, check=True, user=owner.st_uid, group=owner.st_gid, capture_output=True)


def new_data(directory: Path, version: int = NEWEST) -> Path:
    """What initdb makes, in `directory`: a copy, because initdb itself takes two seconds of a processor."""
    data = directory / "data"
    subprocess.run(["cp", "-a", _initialised(version), data], check=True)
    return data


def share_data() -> None:
    """What initdb makes is made once for this process and all that it starts, and removed when it ends."""
    if _SHARED not in os.environ:
        os.environ[_SHARED] = _shared_directory().name


@cache
def _shared_directory() -> "TemporaryDirectory[str]":
    return TemporaryDirectory(prefix="syllabus-", dir=_in_memory())


def _initialised(version: int) -> Path:
    """The first process that wants it makes it; the others wait."""
    share_data()
    folder = Path(os.environ[_SHARED]).resolve() / str(version)
    folder.mkdir(exist_ok=True)
    data, made = folder / "data", folder / "made"
    with Path(folder, "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            end_server(start_server(data, version=version, settings=_FAST))
            for left in ("postgresql.auto.conf", "log", ".handle_pids.json"):
                (data / left).unlink(missing_ok=True)
            made.touch()
    return data


@contextmanager
def server_directory() -> Iterator[Path]:
    """A directory for a server. Not pytest's: that one bars other users, and for root the server runs as one."""
    with TemporaryDirectory(prefix="syllabus-", dir=_in_memory()) as directory:
        yield Path(directory).resolve()


def _in_memory() -> Path | None:
    """Where there is plenty: each of thousands of tests makes a database, which is most of its time on a slow disk."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > _PLENTY else None


def _copied() -> str:
    """In memory whole files are copied in half the time; on a disk, the checkpoints for it take longer than the WAL."""
    return "file_copy" if _in_memory() else "wal_log"


def require_docker() -> None:
    """End pytest with a sentence where no Docker engine answers."""
    # Imported late: a quarter of a second that only this option should pay.
    import docker  # noqa: PLC0415
    from docker.errors import DockerException  # noqa: PLC0415

    try:
        docker.from_env().ping()
    except DockerException as error:
        pytest.exit(f"--database=container needs a Docker engine: {error}. Start one, or leave the option out.", 2)


@contextmanager
def container(version: int) -> Iterator[Server]:
    """The server of docker-compose.yml, in a container of its own."""
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415  as above

    started = PostgresContainer(f"pgvector/pgvector:pg{version}", driver=None)
    with started as running, closing(Server(running.get_connection_url(), version)) as server:
        yield server


@contextmanager
def existing(url: str) -> Iterator[Server]:
    """A server that is already there."""
    with psycopg.connect(url) as connection:
        version = connection.info.server_version // 10000
    with closing(Server(url, version)) as server:
        yield server
