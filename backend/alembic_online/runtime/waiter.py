"""How the run, which is plain Python, waits for what is asked with `await`, on which connections.

Two ways: in a greenlet of the event loop, where the run's own connection is an async driver's; or from a thread with an
event loop of its own beside it, where env.py brings the connection.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only

Answer = TypeVar("Answer")


class Waiter(Protocol):
    """One of the two."""

    def wait(self, awaitable: Awaitable[Answer]) -> Answer:
        """The answer, or what it raises."""

    def start(self, coroutine: Coroutine[Any, Any, Answer]) -> "asyncio.Task[Answer]":
        """Begin with it, and go on."""


class GreenletWaiter:
    """In SQLAlchemy's greenlet: the loop goes on with other tasks meanwhile."""

    def wait(self, awaitable: Awaitable[Answer]) -> Answer:
        """The answer, or what it raises."""
        return await_only(awaitable)

    def start(self, coroutine: Coroutine[Any, Any, Answer]) -> "asyncio.Task[Answer]":
        """Begin with it, and go on."""
        return asyncio.create_task(coroutine)


class ThreadWaiter:
    """From outside of the loop, which runs in a thread of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def wait(self, awaitable: Awaitable[Answer]) -> Answer:
        """The answer, or what it raises."""

        async def answer() -> Answer:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result()

    def start(self, coroutine: Coroutine[Any, Any, Answer]) -> "asyncio.Task[Answer]":
        """Begin with it, and go on."""

        async def begin() -> "asyncio.Task[Answer]":
            return asyncio.create_task(coroutine)

        return self.wait(begin())

    @contextmanager
    def reading(self, readable: socket.socket, act: Callable[[], Coroutine[Any, Any, None]]) -> Iterator[None]:
        """Until the end of the block, `act` is begun once when there is something to read."""
        tasks: list[asyncio.Task[None]] = []

        def begin() -> None:
            self._loop.remove_reader(readable)
            tasks.append(self._loop.create_task(act()))

        async def end() -> None:
            self._loop.remove_reader(readable)
            await asyncio.gather(*tasks, return_exceptions=True)

        self._loop.call_soon_threadsafe(self._loop.add_reader, readable, begin)
        try:
            yield
        finally:
            self.wait(end())


@dataclass(frozen=True)
class Beside:
    """What an operation of our own needs to work on connections beside the revision's."""

    waiter: Waiter
    engine: AsyncEngine


@contextmanager
def loop_beside() -> Iterator[ThreadWaiter]:
    """An event loop in a thread of its own until the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="alembic-online", daemon=True)
    thread.start()
    try:
        yield ThreadWaiter(loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
