"""Several statements of DDL in one message: where nothing is asked in between, none waits for the one before.

A thousand tables are some thousand round trips otherwise, each with a statement that is prepared and a commit.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.util import await_only

_AT_ONCE = 50
"""The locks of a message find room in the server's table, which has 6,400 by default."""


@contextmanager
def gathered(connection: Connection) -> Iterator[None]:
    """Within the block DDL waits for company; all of it has run before any other statement runs, and at the end.

    For a connection in autocommit by asyncpg; on any other nothing changes. A message is a transaction of its own
    (PostgreSQL 18, section 54.2.2.1): where it fails, its statements are run one by one, so that the error is that
    of one. Raises `DBAPIError`.
    """
    autocommit = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    if connection.dialect.driver != "asyncpg" or not autocommit:
        yield
        return
    waiting: list[str] = []

    def wait_or_run(_: DBAPICursor, statement: str, __: object, context: DefaultExecutionContext) -> bool | None:
        if not context.isddl:
            _run(connection, waiting)
            return None
        waiting.append(statement)
        if len(waiting) >= _AT_ONCE:
            _run(connection, waiting)
        return True

    def run_first(_: DBAPICursor, __: str, ___: object) -> None:
        _run(connection, waiting)

    event.listen(connection.engine, "do_execute", wait_or_run)
    event.listen(connection.engine, "do_execute_no_params", run_first)
    try:
        yield
        _run(connection, waiting)
    finally:
        event.remove(connection.engine, "do_execute", wait_or_run)
        event.remove(connection.engine, "do_execute_no_params", run_first)


def _run(connection: Connection, waiting: list[str]) -> None:
    statements, waiting[:] = list(waiting), []
    if not statements:
        return
    driver = connection.connection.driver_connection
    assert isinstance(driver, asyncpg.Connection), "by asyncpg"
    try:
        await_only(driver.execute(";\n".join(statements)))
    except asyncpg.PostgresError:
        for statement in statements:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
