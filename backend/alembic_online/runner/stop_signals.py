"""A run on the connection that env.py brings, told to stop by a signal; `migrator.stoppable` is for one of ours."""

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from alembic_online.runner.migrator import Migrator, stopped
from alembic_online.runtime.waiter import GreenletWaiter, ThreadWaiter, Waiter


class _ToldToStop(KeyboardInterrupt):
    """SIGTERM or SIGINT, in the thread that runs the revisions."""


@contextmanager
def stoppable_beside(waiter: Waiter, migrator: Migrator) -> Iterator[None]:
    """Until the end of the block, a signal ends the run. Only in the main thread, which is the one that gets signals.

    Raises `Stopped`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[signal.Signals] = []
    beside = _cancelled_beside(waiter, migrator) if isinstance(waiter, ThreadWaiter) else nullcontext()
    with beside, _signals(waiter, received):
        try:
            yield
        except (KeyboardInterrupt, asyncio.CancelledError, Exception):
            if not received:
                raise
            raise waiter.wait(stopped(migrator, received[0])) from None


@contextmanager
def _cancelled_beside(waiter: ThreadWaiter, migrator: Migrator) -> Iterator[None]:
    """Until the end of the block, a signal cancels the running statement, from the loop's thread.

    psycopg looks for signals while it waits. psycopg2 waits in C, and Python's handler is called when it is back.
    """
    receiving, sending = socket.socketpair()
    with receiving, sending:
        sending.setblocking(False)
        before = signal.set_wakeup_fd(sending.fileno(), warn_on_full_buffer=False)
        try:
            with waiter.reading(receiving, migrator.cancel):
                yield
        finally:
            signal.set_wakeup_fd(before)


@contextmanager
def _signals(waiter: Waiter, received: list[signal.Signals]) -> Iterator[None]:
    task = asyncio.current_task() if isinstance(waiter, GreenletWaiter) else None

    def stop(number: int, _: object) -> None:
        received.append(signal.Signals(number))
        if task is None:
            raise _ToldToStop
        task.get_loop().call_soon_threadsafe(task.cancel)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
