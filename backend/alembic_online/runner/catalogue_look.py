"""What the catalogue was like when a run last looked at it, on the control connection."""

import json

from sqlalchemy import Connection, text

from alembic_online.runner.catalogue_facts import read_facts
from alembic_online.runner.facts import Facts, LastLook
from alembic_online.runtime.history import History

_PATH = text("SELECT CAST(to_json(current_schemas(false)) AS text)")  # asyncpg reads no arrays of names


class CatalogueLook(LastLook):
    """Of one revision after the other."""

    def __init__(self, history: History, connection: Connection, *, looks: bool) -> None:
        """Of the revisions on this connection. It `looks` where somebody else may change the database."""
        super().__init__()
        self._connection = connection
        self._history, self.looks = history, looks
        self._known: Facts | None = None
        """Of the last look that read something, at this revision or another: what has not changed is not read again."""

    def read(self) -> Facts | None:
        """Look now; None where the role may not."""
        found = self._history.ask(lambda connection: read_facts(connection, self._history.name, self._known))
        self._known = found or self._known
        return found

    def begin(self) -> None:
        """Look before the first that is done, as one of our own questions."""
        self.facts = self.read()
        self.path = json.loads(self._connection.scalar(_PATH) or "[]")

    def before_locks(self) -> None:
        """Strong locks come next, or a commit: a revision that was to stay in its transaction does not."""
        if self.looks and self.facts is None:
            self.begin()
