"""Reads go to a streaming replica where there is one, and never see less than the reader has written.

| who reads | where |
|---|---|
| nobody who has signed in | the replica; it may be a moment behind, and nobody can tell |
| who has signed in and shows the position of his last write (`position`) | the replica, if it has replayed that far |
| who has signed in and shows none | the primary |

A replica that fails costs nobody an answer: the request is repeated on the primary (`repeat`), and the replica is left
alone for some seconds.
"""

import time
from dataclasses import dataclass, field

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from alembic_online.postgres.sqlstate import sqlstate
from src.api.middleware.repeat import ask_to_repeat
from src.api.replica.position import position_of
from src.db.hot_query import Reader
from src.db.wal import SEEN

PAUSE = 5.0
"""Seconds for which a replica that has failed is not asked."""

_STATE, _REPLICA, _PRIMARY = "reads", "replica", "primary"
# Classes of SQLSTATE (PostgreSQL 18, appendix A). What has none comes from the network or the driver.
_LOST = ("08", "53", "57", "58", "XX")
_REQUESTS_OWN_FAULT = ("22", "23")


@dataclass(slots=True)
class Replica:
    """Where reads may go."""

    sessions: async_sessionmaker[AsyncSession]
    reader: Reader
    _asked_again_at: float = field(default=0.0)

    @property
    def is_trusted(self) -> bool:
        """Whether it has not failed lately."""
        return time.monotonic() >= self._asked_again_at

    async def may_answer(self, request: Request) -> bool:
        """Whether the request's reads go to the replica; decided once a request."""
        if not hasattr(request.state, _STATE):
            setattr(request.state, _STATE, _REPLICA)  # if it cannot even be asked, that is its failure
            near = self.is_trusted and await self._is_near_enough(request)
            setattr(request.state, _STATE, _REPLICA if near else _PRIMARY)
        return bool(getattr(request.state, _STATE) == _REPLICA)

    async def _is_near_enough(self, request: Request) -> bool:
        if "authorization" not in request.headers:
            return True
        position = position_of(request)
        return position is not None and await self.reader.value(SEEN, position=position) is True

    def distrust(self) -> None:
        """Leave it alone for a while."""
        self._asked_again_at = time.monotonic() + PAUSE


def is_replicas_failure(request: Request, error: BaseException) -> bool:
    """Whether the request failed because it was read from a replica; it is then repeated on the primary.

    The replica may be gone, in recovery conflict (40001), or not have seen the migration that the code relies on.
    """
    replica: Replica | None = request.app.state.resources.replica
    state = sqlstate(error)
    if replica is None or getattr(request.state, _STATE, None) != _REPLICA or (state or "")[:2] in _REQUESTS_OWN_FAULT:
        return False
    if state is None or state[:2] in _LOST:
        replica.distrust()
    setattr(request.state, _STATE, _PRIMARY)
    ask_to_repeat(request)
    return True
