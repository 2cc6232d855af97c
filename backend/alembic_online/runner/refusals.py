"""What is refused in a savepoint: it could be gone back to, and what is done to a large table could not."""

from collections.abc import Collection

from alembic_online.errors import RevisionFailed
from alembic_online.postgres.locks.reader import first_word
from alembic_online.recipes.cutover.statement_forms import names_of
from alembic_online.runner.attempt import Attempt

_CHANGES_ROWS = ("UPDATE", "DELETE", "MERGE")


class Refusals:
    """Of one revision after the other."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._refused: RevisionFailed | None = None

    def forget(self) -> None:
        """A revision begins, or begins again."""
        self._refused = None

    def repeat(self) -> None:
        """Where a savepoint is, errors are caught; but this was not done, and the revision must not go on without."""
        if self._refused is not None:
            raise self._refused

    def refuse_steps(self, table: str, sql: str) -> None:
        """What is committed step by step cannot be undone to a savepoint. Raises `RevisionFailed`."""
        if self._attempt.locks.may_be_undone or self._attempt.connection.in_nested_transaction():
            self._refused = RevisionFailed(
                f"{table} is large, and is changed step by step, each committed; that cannot be in a savepoint"
                f" (begin_nested, SAVEPOINT): {' '.join(sql.split())[:100]}",
                f'Take the line out of the savepoint.\nOr let clients wait: direct = {{"{table}": "why nobody minds"}}',
            )
            raise self._refused

    def refuse_rows(self, sql: str, locked_large: Collection[str]) -> None:
        """Of a large table that the savepoint at hand has locked, and that cannot be let go of before they change.

        Raises `RevisionFailed`.
        """
        held = set(locked_large) if self._attempt.locks.may_be_undone else set[str]()
        for table in sorted(held & names_of(sql) if held and first_word(sql) in _CHANGES_ROWS else ()):
            self._refused = RevisionFailed(
                f"{table} is large, and locked since the savepoint has changed it; clients would wait while its rows"
                f" are changed: {' '.join(sql.split())[:100]}",
                "Take the line out of the savepoint (begin_nested, SAVEPOINT).\n"
                f'Or let clients wait: direct = {{"{table}": "why nobody minds"}}',
            )
            raise self._refused
