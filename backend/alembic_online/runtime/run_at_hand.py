"""What an operation of ours finds of the run that carries it out, in its migration context."""

from collections.abc import Callable
from dataclasses import dataclass

from alembic.runtime.migration import MigrationContext

from alembic_online.policy import Policy
from alembic_online.runtime.activity import Activity
from alembic_online.runtime.rehearsal import Rehearsal
from alembic_online.runtime.waiter import Beside

_KEY = "alembic_online"


@dataclass(frozen=True)
class RunAtHand:
    """A run that changes the database, on a connection of its own."""

    policy: Policy
    activity: Activity
    """What runs now, for whoever shows it."""
    beside: Beside
    """Where to work beside the revision's transaction."""
    rehearsal: Rehearsal | None
    """Whom to tell, where the run is only to be looked at."""
    is_in_savepoint: Callable[[], bool]
    """Whether the revision may go back to where it was: what is committed elsewhere would stay."""
    settings: Callable[[], dict[str, str]]
    """What the revision has set and counts now: the search_path, parameters of the application."""
    count_overwritten: Callable[[str], None]
    """Told of an UPDATE that is about to run on another connection: a downgrade asks before it destroys values."""
    once: Callable[[str, Callable[[], None]], None]
    """Runs work that commits by itself, known by words that name what it writes; not if an earlier try has done it and
    more has been done since."""

    def announce(self, context: MigrationContext) -> None:
        """From now on this is the run of this context."""
        context.opts[_KEY] = self


def run_at_hand(context: MigrationContext) -> RunAtHand | None:
    """None for a script, and on a connection and in a transaction of the caller's."""
    found: RunAtHand | None = context.opts.get(_KEY)
    return found
