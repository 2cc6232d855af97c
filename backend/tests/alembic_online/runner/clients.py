"""A client that goes on asking while a migration runs, and may bear no long wait for a lock."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.alembic_online.runner.processes import until

_PAUSE = 0.004  # seconds: several clients without one take the processor from the migration that they watch


class Client:
    """Asks again and again, each request a transaction of its own."""

    def __init__(self, url: str, request: str, *, patient: bool = True) -> None:
        """One that is not patient fails where it waits for a lock for more than a second.

        That is ten times the lock timeout of a migration. The server counts it: how long an answer takes in all depends
        on how busy the machine is.
        """
        self._url, self._request, self._lock_timeout = url, request, "0" if patient else "1s"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.answers = 0
        self.error: psycopg.Error | None = None

    def goes_on(self, times: int = 50) -> None:
        """Wait for so many more answers."""
        wanted = self.answers + times
        until(lambda: self.answers >= wanted or self.error)
        assert self.error is None, f"{self._request}: {self.error}"

    def _ask(self) -> None:
        try:
            with psycopg.connect(self._url, autocommit=True, prepare_threshold=None) as session:
                session.execute(f"SET lock_timeout = '{self._lock_timeout}'")
                while not self._ended.wait(_PAUSE):
                    session.execute(self._request)
                    self.answers += 1
        except psycopg.Error as error:
            self.error = error

    @contextmanager
    def asking(self) -> Iterator["Client"]:
        """It asks until the end of the block."""
        self._thread.start()
        try:
            self.goes_on(1)
            yield self
        finally:
            self._ended.set()
            self._thread.join()
