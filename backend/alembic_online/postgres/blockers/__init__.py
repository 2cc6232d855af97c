"""Who holds a lock, who waits for it, and how to end one of them."""

from alembic_online.postgres.blockers.blocker import MIGRATION, Blocker, Kind, Queue
from alembic_online.postgres.blockers.end import Ending, end
from alembic_online.postgres.blockers.read import all_blockers, blockers_of, holders_of, idle_holders
from alembic_online.postgres.blockers.unqueued import UnqueuedWait

__all__ = [
    "MIGRATION",
    "Blocker",
    "Ending",
    "Kind",
    "Queue",
    "UnqueuedWait",
    "all_blockers",
    "blockers_of",
    "end",
    "holders_of",
    "idle_holders",
]
