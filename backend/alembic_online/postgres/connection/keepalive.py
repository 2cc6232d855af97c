"""A network that is gone without a word: both ends ask now and then, and give up after half a minute.

Otherwise the operating system's defaults apply: two hours in which a session keeps its locks for a client that is no
more, or a client waits for a server that is no more.
"""

import os
import socket
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

PATIENCE = 30.0  # seconds


class Pace(NamedTuple):
    """How a system asks: after `idle` seconds of silence, then every `interval`, until `questions` had no answer."""

    idle: int
    interval: int
    questions: int

    @property
    def limit(self) -> int:
        """Seconds until the connection counts as lost."""
        return self.idle + self.interval * self.questions


def pace(patience: float = PATIENCE) -> Pace:
    """The pace at which `patience` (in seconds, 2 at the least) is used up; systems count in whole seconds."""
    idle, interval = max(1, round(patience / 3)), max(1, round(patience / 6))
    return Pace(idle, interval, max(1, round((patience - idle) / interval)))


def server_settings(patience: float = PATIENCE) -> dict[str, str]:
    """For the server's end (PostgreSQL 18, section 19.3.2); on a Unix socket they are ignored."""
    given = pace(patience)
    return {
        "tcp_keepalives_idle": str(given.idle),
        "tcp_keepalives_interval": str(given.interval),
        "tcp_keepalives_count": str(given.questions),
        "tcp_user_timeout": f"{given.limit}s",
    }


async def keep_alive(connection: AsyncConnection, patience: float = PATIENCE) -> None:
    """Set this client's end of a TCP connection; a Unix socket, and a system that has no such option, is left alone."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    number = driver.fileno() if hasattr(driver, "fileno") else _asyncpg_socket(driver)
    given = pace(patience)
    with socket.socket(fileno=os.dup(number)) as end:
        if end.family == socket.AF_UNIX:
            return
        end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
        for name, value in zip(names, (*given, given.limit * 1000), strict=True):
            if hasattr(socket, name):
                end.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _asyncpg_socket(driver: Any) -> int:
    # asyncpg has no public way to its socket.
    return int(driver._transport.get_extra_info("socket").fileno())
