"""Code of others that may call `asyncio.run`, as the async template's env.py does."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar("Answer")


def outside_of_loops(run: Callable[[], Answer]) -> Answer:
    """Call `run` where no event loop runs: in a thread of its own if the caller is inside one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run()
    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(run).result()
