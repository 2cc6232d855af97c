"""How the catalogue is asked, and tried on, between two statements of a revision."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from alembic_online.runner.statement_guard import StatementGuard


class Questions:
    """On the connection of one run."""

    def __init__(self, context: MigrationContext, guard: StatementGuard) -> None:
        self._context, self._guard = context, guard

    def connection(self) -> Connection:
        """That of the run."""
        assert self._context.connection is not None
        return self._context.connection

    def question(self) -> AbstractContextManager[None]:
        """What runs in the block only reads."""
        return self._guard.question(self.connection())

    @contextmanager
    def scratch(self) -> Iterator[Connection]:
        """What runs in the block is rolled back."""
        connection, outside = self.connection(), self._guard.autocommit
        with self.question():
            # Outside of a transaction SQLAlchemy, which believes to be in one, begins none.
            connection.exec_driver_sql("BEGIN" if outside else "SAVEPOINT scratch")
            try:
                yield connection
            finally:
                if not connection.invalidated:
                    connection.exec_driver_sql("ROLLBACK" if outside else "ROLLBACK TO SAVEPOINT scratch")

    def recall(self, words: str, find: Callable[[], str]) -> str:
        """What an earlier try has found, or what `find` finds now."""
        return self._guard.journal.recall(words, find)
