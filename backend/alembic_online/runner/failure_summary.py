"""After a failure: what of the revision is committed, and stays. Nobody is to find that out from the catalogue."""

from sqlalchemy.exc import DBAPIError

from alembic_online.errors import RevisionFailed
from alembic_online.runtime.history import Entry


def say_what_stays(error: BaseException, entry: Entry) -> None:
    """Let `error` say too whether something of the revision is committed."""
    stays = f"What {entry.revision} did before that is committed, and stays: the same command goes on after it."
    if isinstance(error, RevisionFailed):
        error.say_too(stays if entry.journal else f"Nothing of {entry.revision} was changed.")
    elif isinstance(error, DBAPIError) and entry.journal:
        error.add_note(stays)
