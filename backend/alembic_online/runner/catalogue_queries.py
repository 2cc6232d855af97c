"""How the catalogue is asked, and tried on, between two statements of a revision."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection

from alembic_online.recipes.object_effects import GivenUp
from alembic_online.revisions.source_line import line_in
from alembic_online.runner.attempt import Attempt
from alembic_online.runtime.table_facts import TableFacts


class Questions:
    """On the connection of one run."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt

    @property
    def connection(self) -> Connection:
        """That of the run."""
        return self._attempt.connection

    def question(self) -> AbstractContextManager[Connection]:
        """What runs in the block only reads."""
        return self._attempt.question()

    @contextmanager
    def scratch(self) -> Iterator[Connection]:
        """What runs in the block is rolled back."""
        outside = self._attempt.is_outside
        with self.question() as connection:
            # Outside of a transaction SQLAlchemy, which believes to be in one, begins none.
            connection.exec_driver_sql("BEGIN" if outside else "SAVEPOINT scratch")
            try:
                yield connection
            finally:
                if not connection.invalidated:
                    connection.exec_driver_sql("ROLLBACK" if outside else "ROLLBACK TO SAVEPOINT scratch")

    def noted(self, words: str) -> tuple[str, str | None]:
        """By which name the journal keeps what was found, and what an earlier try has found, if it has."""
        key = self._attempt.journal.key(words, None, has_read=False)
        return key, self._attempt.journal.noted(key)

    def note(self, key: str, found: str) -> None:
        """Keep what was found, under this name."""
        self._attempt.journal.note(key, found)

    def comes_back(self, each: GivenUp) -> bool:
        """Whether a line below the one that runs makes it again."""
        below = self._attempt.below
        line = line_in(str(below.path.parent))
        return line is not None and below.brings_back(each, line.lineno or 0, line.end_lineno or line.lineno or 0) > 0

    def believed(self, there: TableFacts) -> TableFacts:
        """What a table counts as: in a rehearsal, as what it is in the live database."""
        rehearsal = self._attempt.run.rehearsal
        return there if rehearsal is None else rehearsal.facts(there)
