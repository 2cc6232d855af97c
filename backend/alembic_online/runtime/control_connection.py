"""The migrator's second connection, in autocommit: it asks, and keeps what must stay whatever becomes of the revision.

What is only to be kept need not be waited for at once: it is sent, and whatever is asked next comes after it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy import CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.runtime.waiter import GreenletWaiter, Waiter

Answer = TypeVar("Answer")
Question = Callable[[AsyncConnection], Awaitable[Answer]]


class Asking:
    """Used by the run itself, as everything in a revision is."""

    def __init__(self, connection: AsyncConnection, waiter: Waiter | None = None) -> None:
        self._connection, self.waiter = connection, waiter or GreenletWaiter()
        self._sent: asyncio.Task[None] | None = None

    def ask(self, question: Question[Answer]) -> Answer:
        """The answer, once everything that was sent is there."""
        self.settle()
        return self.waiter.wait(question(self._connection))

    def execute(self, statement: Executable, given: dict[str, Any] | None = None) -> CursorResult[Any]:
        """Run one statement."""
        return self.ask(lambda connection: connection.execute(statement, given))

    def send(self, message: Question[None]) -> None:
        """Begin with `message` while the migration goes on; an error of it is raised by what comes next."""
        self._sent = self.waiter.start(self._after(self._sent, message))

    def settle(self) -> None:
        """Wait for everything that was sent."""
        sent, self._sent = self._sent, None
        if sent is not None:
            self.waiter.wait(sent)

    def sleep(self, seconds: float) -> None:
        """Wait, while others go on."""
        self.waiter.wait(asyncio.sleep(seconds))

    def break_off(self) -> None:
        """Wait for nothing that was sent: the migration is to stop, and may be waiting for just that."""
        self.waiter.wait(self.close())

    async def close(self) -> None:
        """Break off what nobody waited for: the migration has failed by then, and that is what is told."""
        sent, self._sent = self._sent, None
        if sent is not None:
            sent.cancel()
            await asyncio.gather(sent, return_exceptions=True)

    async def _after(self, before: "asyncio.Task[None] | None", message: Question[None]) -> None:
        if before is not None:
            await before
        await message(self._connection)
