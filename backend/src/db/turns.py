"""Who waits for one of a few places: first come, first served, and not for ever."""

import asyncio
from collections import deque


class Turns:
    """`places` at once. Whoever waits longer than `patience` seconds gets a `TimeoutError`."""

    def __init__(self, places: int, patience: float) -> None:
        self._free, self._patience = places, patience
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    async def take(self) -> None:
        """Have a place, until it is given back."""
        if self._free:
            self._free -= 1
            return
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append((loop.time() + self._patience, turn))
        # One alarm for all, because they lose patience in the order in which they came: a timer each costs something.
        if self._alarm is None:
            self._alarm = loop.call_later(self._patience, self._lose_patience)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give()
            raise

    def give(self) -> None:
        """Give a place back: to who has waited longest."""
        while self._waiting:
            _, turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _lose_patience(self) -> None:
        loop = asyncio.get_running_loop()
        self._alarm = None
        while self._waiting:
            deadline, turn = self._waiting[0]
            if not turn.done() and deadline > loop.time():
                self._alarm = loop.call_at(deadline, self._lose_patience)
                return
            self._waiting.popleft()
            if not turn.done():
                turn.set_exception(TimeoutError())
