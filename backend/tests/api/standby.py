"""A real streaming replica, made by pg_basebackup out of the wheel."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from alembic_online.postgres.embedded import program, start_server
from tests.servers import Server, server_directory
from tests.sessions import until


@dataclass(frozen=True)
class Standby:
    """The replica of a server; it replays when it is told to."""

    server: Any
    primary: Server

    def url(self, database: str) -> str:
        """The URL of the same database there."""
        path = urlsplit(database).path
        return urlunsplit(urlsplit(str(self.server.get_uri()))._replace(path=path))

    def pause(self) -> None:
        """From now on it stays as it is."""
        self._ask("SELECT pg_wal_replay_pause()")

    async def catch_up(self) -> None:
        """Resume, and return when it has replayed all that the primary has written."""
        self._ask("SELECT pg_wal_replay_resume()")
        with psycopg.connect(self.primary.admin, autocommit=True) as primary:
            [written] = primary.execute("SELECT pg_current_wal_insert_lsn()::text").fetchall()[0]

            async def replayed() -> bool:
                # The place may lie behind the header of a page that is not begun yet: one more commit begins it.
                primary.execute("SELECT pg_current_xact_id()")
                return bool(self._ask(f"SELECT pg_last_wal_replay_lsn() >= '{written}'"))

            await until(replayed)

    def stop(self) -> None:
        """It is gone."""
        self.server.cleanup()

    def _ask(self, query: str) -> Any:
        with psycopg.connect(self.server.get_uri(), autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()[0][0]


@contextmanager
def standby(primary: Server) -> Iterator[Standby]:
    """A replica of all of `primary`'s databases, an embedded server itself."""
    with server_directory() as folder:
        data = folder / "data"
        data.mkdir(mode=0o700)
        owner = _owner(primary)
        if owner is not None:
            os.chown(data, owner, owner)
            os.chown(folder, owner, owner)
        copy = [str(program("pg_basebackup")), "-d", primary.admin, "-D", str(data), "-c", "fast", "-X", "stream"]
        subprocess.run(copy, user=owner, check=True, capture_output=True)
        _follow(data, primary)
        for other in data.glob(".[hs]*"):  # the primary's socket, its lock and its users, which lie beside the data
            other.unlink()
        server = start_server(data, version=primary.version, temporary=True)
        try:
            yield Standby(server, primary)
        finally:
            server.cleanup()


def _follow(data: Path, primary: Server) -> None:
    """What pg_basebackup -R does; but that of 18 writes parameters into it that 16 does not know."""
    (data / "standby.signal").touch()
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"primary_conninfo = '{primary.admin}'\n")


def _owner(primary: Server) -> int | None:
    """For root the servers run as a user of their own."""
    with psycopg.connect(primary.admin) as connection:
        [directory] = connection.execute("SELECT current_setting('data_directory')").fetchall()[0]
    return Path(directory).stat().st_uid if os.geteuid() == 0 else None
