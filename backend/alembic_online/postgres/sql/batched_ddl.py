"""Several statements of DDL in one message: where nothing is asked in between, none waits for the one before.

A thousand tables are some thousand round trips otherwise, each with a statement that is prepared and a commit.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import asyncpg
from sqlalchemy import Connection, Executable, event
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from alembic_online.postgres.sql.verbatim import run_as_written

_AT_ONCE = 50
"""The locks of a message find room in the server's table, which has 6,400 by default."""


Refused = Callable[[str, Executable | None, DBAPIError], None]
"""Is told of a statement that the server refuses, and of SQLAlchemy's element for it, if there is one."""
_DDL = re.compile(r"\s*(CREATE|ALTER|GRANT|REVOKE|COMMENT|SECURITY)\b", re.IGNORECASE)


@contextmanager
def gathered(connection: Connection, on_refused: Refused | None = None) -> Iterator[None]:
    """Within the block DDL waits for company; all of it has run before any other statement runs, and at the end.

    For a connection in autocommit by asyncpg; on any other nothing changes. A message is a transaction of its own
    (PostgreSQL 18, section 54.2.2.1): where it fails, its statements are run one by one, so that the error is that
    of one. Raises `DBAPIError`; with `on_refused` that is told instead, also of DDL that is written as text, and the
    next statement is run.
    """
    autocommit = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    if connection.dialect.driver != "asyncpg" or not autocommit:
        yield
        return
    waiting = _Waiting(connection, on_refused)
    event.listen(connection.engine, "do_execute", waiting.wait_or_run)
    event.listen(connection.engine, "do_execute_no_params", waiting.wait_or_run_text)
    try:
        yield
        waiting.run()
    finally:
        event.remove(connection.engine, "do_execute", waiting.wait_or_run)
        event.remove(connection.engine, "do_execute_no_params", waiting.wait_or_run_text)


class _Waiting:
    """The statements that wait."""

    def __init__(self, connection: Connection, on_refused: Refused | None) -> None:
        self._connection, self._on_refused = connection, on_refused
        self._statements: list[tuple[str, Executable | None]] = []
        self._one_by_one = False

    def wait_or_run(self, _: DBAPICursor, statement: str, __: object, context: DefaultExecutionContext) -> bool | None:
        if context.isddl:
            return self._wait(statement, getattr(context.compiled, "statement", None))
        self.run()
        return None

    def wait_or_run_text(self, _: DBAPICursor, statement: str, __: object) -> bool | None:
        if self._one_by_one:
            return None
        if self._on_refused is not None and _DDL.match(statement):
            return self._wait(statement, None)
        self.run()
        return None

    def _wait(self, statement: str, element: Executable | None) -> bool:
        self._statements.append((statement, element))
        if len(self._statements) >= _AT_ONCE:
            self.run()
        return True

    def run(self) -> None:
        """Run them all. Raises `DBAPIError`."""
        statements, self._statements = self._statements, []
        if not statements:
            return
        driver = self._connection.connection.driver_connection
        assert isinstance(driver, asyncpg.Connection), "by asyncpg"
        try:
            await_only(driver.execute(";\n".join(statement for statement, _ in statements)))
        except asyncpg.PostgresError:
            self._run_each(statements)

    def _run_each(self, statements: Sequence[tuple[str, Executable | None]]) -> None:
        self._one_by_one = True
        try:
            for statement, element in statements:
                try:
                    run_as_written(self._connection, statement)
                except DBAPIError as error:
                    if self._on_refused is None:
                        raise
                    self._on_refused(statement, element, error)
        finally:
            self._one_by_one = False
