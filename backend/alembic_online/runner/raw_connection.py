"""The driver's own connection, which a revision takes by `op.get_bind().connection`, most often for its cursor.

What is sent by it passes SQLAlchemy by, which has no event for that: only that it is taken can be noticed.
"""

import sys
from collections.abc import Callable

from sqlalchemy import Connection, PoolProxiedConnection

_OTHERS = ("sqlalchemy.", "alembic_online.")
"""Who takes it for a commit, an isolation level or a type, and sends nothing that needs what a revision has done."""


class _Noticing(Connection):
    taken: Callable[[], None]

    @property
    def connection(self) -> PoolProxiedConnection:
        caller = sys._getframe().f_back  # none where an asynchronous connection asks for it in a greenlet
        if caller is None or not caller.f_globals.get("__name__", "").startswith(_OTHERS):
            self.taken()
        return super().connection


def notice(connection: Connection, taken: Callable[[], None]) -> None:
    """Call `taken` whenever somebody takes the driver's connection from this one, before he gets it."""
    if type(connection) is Connection:
        connection.__class__ = _Noticing  # it is the project's env.py that has made it
    if isinstance(connection, _Noticing):
        connection.taken = taken
