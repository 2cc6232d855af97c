"""A client that goes on asking while a migration runs, and remembers how long it had to wait at the most."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.alembic_online.runner.processes import until


class Client:
    """Asks without a pause, each request a transaction of its own."""

    def __init__(self, url: str, request: str) -> None:
        self._url, self._request = url, request
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.answers = 0
        self.longest = 0.0
        """Seconds."""
        self.error: psycopg.Error | None = None

    def goes_on(self, times: int = 50) -> None:
        """Wait for so many more answers."""
        wanted = self.answers + times
        until(lambda: self.answers >= wanted or self.error)
        assert self.error is None

    def _ask(self) -> None:
        try:
            with psycopg.connect(self._url, autocommit=True, prepare_threshold=None) as session:
                while not self._ended.wait(0.001):
                    begun = time.monotonic()
                    session.execute(self._request)
                    self.longest = max(self.longest, time.monotonic() - begun)
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
