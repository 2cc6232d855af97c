"""After a column has got another type, a statement that a session has prepared fails once: clients need not see it.

PostgreSQL says `cached plan must not change result type` (0A000; `RevalidateCachedQuery`, PostgreSQL 16 to 18) before
it runs anything of the statement. Where nothing else has run in the transaction, to begin it again and send the
statement once more is the same to everybody. Where something has, the client must repeat all of it, and gets the error.
"""

from typing import Any

from sqlalchemy import Connection, ExecutionContext, event

from alembic_online.postgres.connection.sync_facade import AnyEngine, as_sync
from alembic_online.postgres.sqlstate import FEATURE_NOT_SUPPORTED, server_message, sqlstate

_HAS_RUN = "alembic_online.has_run"
"""In the `info` of a connection: whether a statement has run in the transaction at hand."""
_OUTDATED = "cached plan must not change result type"


def retry_outdated_plans(engine: AnyEngine) -> AnyEngine:
    """Have `engine` send such a statement once more where that is safe; returns it. Of psycopg and asyncpg.

    What a listener of yours sends by the driver's own cursor when a transaction begins would be rolled back unseen.
    """
    sync = as_sync(engine)
    event.listen(sync, "begin", _note_begin)
    event.listen(sync, "do_execute", _execute)
    return engine


def is_outdated_plan(error: BaseException) -> bool:
    """Whether the server refused a prepared statement because its result would be of another type now."""
    return sqlstate(error) == FEATURE_NOT_SUPPORTED and server_message(error).startswith(_OUTDATED)


def _note_begin(connection: Connection) -> None:
    connection.info[_HAS_RUN] = False


def _execute(cursor: Any, statement: str, parameters: Any, context: ExecutionContext) -> bool:
    """In the place of the dialect's own, which it calls."""
    driver: Any = context.root_connection.connection.dbapi_connection
    info = _info(context.root_connection)
    is_first = getattr(driver, "autocommit", False) or not info.get(_HAS_RUN)
    info[_HAS_RUN] = True
    try:
        context.dialect.do_execute(cursor, statement, parameters, context)
    except context.dialect.loaded_dbapi.Error as error:
        if not (is_first and is_outdated_plan(error)):
            raise
        _forget_prepared(driver, error, context)
        context.dialect.do_execute(cursor, statement, parameters, context)
    return True


def _info(connection: Connection) -> dict[Any, Any]:
    """Of a connection on which SQLAlchemy itself asks for the server's version, there is none."""
    try:
        return connection.info
    except NotImplementedError:
        return {}


def _forget_prepared(driver: Any, error: BaseException, context: Any) -> None:
    """End the transaction that has failed, and what was prepared in the session."""
    driver.rollback()  # upon which psycopg forgets it
    if getattr(driver, "autocommit", False) and context.dialect.driver != "asyncpg":
        cursor = driver.cursor()
        cursor.execute("DEALLOCATE ALL")  # the same, where there is no transaction
        cursor.close()
    context.handle_dbapi_exception(error)  # asyncpg's dialect forgets it here
    context.pre_exec()
