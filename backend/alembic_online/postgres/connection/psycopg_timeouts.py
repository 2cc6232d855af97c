"""A connection of psycopg that loses patience: a network that acknowledges everything and answers nothing has no limit.

The server ends a statement that takes too long (`statement_timeout`), and the kernel a connection on which nothing is
acknowledged (`tcp_user_timeout`). What neither sees is a proxy before a server that is gone.
"""

import asyncio
import os
import socket
from typing import Any

from psycopg import AsyncConnection


class PatientConnection(AsyncConnection[Any]):
    """Ends itself when it has waited longer than `patience` seconds, which are None for as long as it takes.

    Whoever waits gets the `OperationalError` of a connection that the server has closed.
    """

    patience: float | None = None

    async def wait(self, *arguments: Any, **options: Any) -> Any:
        """As ever, for each statement and each part of a COPY."""
        if self.patience is None:
            return await super().wait(*arguments, **options)
        alarm = asyncio.get_running_loop().call_later(self.patience, self._hang_up)
        try:
            return await super().wait(*arguments, **options)
        finally:
            alarm.cancel()

    def _hang_up(self) -> None:
        # libpq finds the end of what it reads, as of any connection that is lost, and cleans up.
        with socket.socket(fileno=os.dup(self.pgconn.socket)) as end:
            end.shutdown(socket.SHUT_RDWR)
