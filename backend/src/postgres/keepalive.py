"""A network that is gone without a word: both ends ask now and then, and give up after half a minute.

Otherwise the operating system's defaults apply: two hours in which a session keeps its locks for a client that is no
more, or a client waits for a server that is no more.
"""

import os
import socket
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

IDLE, INTERVAL, COUNT = 10, 5, 4  # seconds, seconds, unanswered questions
LIMIT = IDLE + INTERVAL * COUNT

SERVER_SETTINGS = {
    "tcp_keepalives_idle": str(IDLE),
    "tcp_keepalives_interval": str(INTERVAL),
    "tcp_keepalives_count": str(COUNT),
    "tcp_user_timeout": f"{LIMIT}s",
}
"""For the server's end (PostgreSQL 18, section 19.3.2); on a Unix socket they are ignored."""


async def keep_alive(connection: AsyncConnection) -> None:
    """Set this client's end of a TCP connection; a Unix socket, and a system that has no such option, is left alone."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    number = driver.pgconn.socket if hasattr(driver, "pgconn") else _asyncpg_socket(driver)
    with socket.socket(fileno=os.dup(number)) as end:
        if end.family == socket.AF_UNIX:
            return
        end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("TCP_KEEPIDLE", IDLE), ("TCP_KEEPINTVL", INTERVAL), ("TCP_KEEPCNT", COUNT)):
            if hasattr(socket, name):
                end.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LIMIT * 1000)


def _asyncpg_socket(driver: Any) -> int:
    # asyncpg has no public way to its socket.
    return int(driver._transport.get_extra_info("socket").fileno())
