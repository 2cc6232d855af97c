"""Databases of one server: made from others, and dropped."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from alembic_online.postgres.embedded import start_server

# Nothing here need survive a power cut.
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "'64MB'",
    "max_wal_size": "'2GB'",
    "autovacuum": "off",
}


class Databases:
    """Those of one server; `admin` is the URL of a role that may make them."""

    def __init__(self, admin: str, prefix: str) -> None:
        self.admin, self._prefix, self._numbers = admin, prefix, count()
        self._session: psycopg.Connection[Any] = psycopg.connect(admin, autocommit=True)

    def make(self, template: str = "") -> str:
        """The URL of a new one, like that of the URL `template`, to which nobody may be connected."""
        name = f"{self._prefix}_{next(self._numbers)}"
        like = urlsplit(template).path[1:] or "template0"
        self._session.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
        self._session.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}" STRATEGY file_copy'.encode())
        return urlunsplit(urlsplit(self.admin)._replace(path=f"/{name}"))

    def drop(self, url: str) -> None:
        """Whoever is connected."""
        self._session.execute(f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)'.encode())

    def close(self) -> None:
        """End the session."""
        with suppress(psycopg.Error):
            self._session.close()


@contextmanager
def embedded(version: int) -> Iterator[str]:
    """The URL of a server of its own, gone afterwards."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(prefix="crucible-", dir=memory if memory.is_dir() else None) as directory:
        server = start_server(Path(directory).resolve() / "data", version=version, settings=_FAST, temporary=True)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
