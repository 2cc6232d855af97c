"""psycopg in the manner of psycopg2, for which most revisions were written: values are put into a statement's text.

PostgreSQL then reads '7' as a number, a date or a label, as the place demands. Where values travel beside the text, as
with asyncpg and psycopg by default, each has a type of its own, and the place has to have the same.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from psycopg import AsyncClientCursor, AsyncConnection, Error, ProgrammingError
from psycopg.adapt import RecursiveDumper
from psycopg.types.string import TextLoader
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import BindTyping
from sqlalchemy.ext.asyncio import AsyncEngine


class _InParentheses(RecursiveDumper):
    """A tuple as the list of `IN`: psycopg makes a row of it."""

    def dump(self, _: Any) -> bytes:
        raise ProgrammingError("a tuple stands for the list of IN, and can only be put into the text")

    def quote(self, obj: tuple[Any, ...]) -> bytes:
        return b"(" + b", ".join(self._tx.as_literal(each) for each in obj) + b")"


def like_psycopg2(connect: Callable[[], Awaitable[AsyncConnection[Any]]]) -> Callable[..., Awaitable[Any]]:
    """`connect`, for connections that put values into the text, and return addresses as text."""

    async def connect_so(**_: Any) -> AsyncConnection[Any]:
        connection = await connect()
        connection.cursor_factory = AsyncClientCursor
        connection.adapters.register_dumper(tuple, _InParentheses)
        for name in ("inet", "cidr"):
            connection.adapters.register_loader(name, TextLoader)
        return connection

    return connect_so


def as_psycopg2_does(engine: AsyncEngine) -> AsyncEngine:
    """`engine`, which is new, with what a revision can see of psycopg2.

    Its statements do not say what type SQLAlchemy takes a value for: `'prose'::VARCHAR` is no label.
    """
    engine.dialect.bind_typing = BindTyping.NONE
    engine.dialect.driver = "psycopg2"
    engine.dialect.get_driver_connection = _WithoutAwait  # type: ignore[method-assign, assignment]
    engine.dialect.use_insertmanyvalues_wo_returning = True  # as there: many rows a statement, not one (op.bulk_insert)
    event.listen(engine.sync_engine, "handle_error", _name_the_code)
    return engine


class _WithoutAwait:
    """psycopg's own connection for who reaches for it: nobody awaits its statements, and so they would never run."""

    def __init__(self, adapted: Any) -> None:
        self._adapted = adapted

    def __getattr__(self, name: str) -> Any:
        waits = name in ("cursor", "commit", "rollback", "close")
        return getattr(self._adapted if waits else self._adapted.driver_connection, name)


def _name_the_code(context: ExceptionContext) -> None:
    """psycopg2's name for SQLSTATE, by which revisions tell errors apart."""
    if isinstance(context.original_exception, Error):
        error: Any = context.original_exception
        error.pgcode = error.sqlstate
