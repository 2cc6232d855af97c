"""psycopg in the manner of psycopg2, for which most revisions were written: values are put into a statement's text.

PostgreSQL then reads '7' as a number, a date or a label, as the place demands. Where values travel beside the text, as
with asyncpg and psycopg by default, each has a type of its own, and the place has to have the same.
"""

import sys
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from psycopg import AsyncClientCursor, AsyncConnection, Error, ProgrammingError
from psycopg.adapt import RecursiveDumper
from psycopg.types.string import TextLoader
from sqlalchemy import URL, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import BindTyping, Dialect
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from alembic_online.postgres.connection.psycopg2_cursor import Psycopg2Connection


class _InParentheses(RecursiveDumper):
    """A tuple as the list of `IN`: psycopg makes a row of it."""

    def dump(self, _: Any) -> bytes:
        raise ProgrammingError("a tuple stands for the list of IN, and can only be put into the text")

    def quote(self, obj: tuple[Any, ...]) -> bytes:
        return b"(" + b", ".join(self._tx.as_literal(each) for each in obj) + b")"


class _Quoted(RecursiveDumper):
    """A value of psycopg2's own, for those who have it: its `Json`, `AsIs`, ranges."""

    def dump(self, _: Any) -> bytes:
        raise ProgrammingError("a value of psycopg2's can only be put into the text")

    def quote(self, obj: Any) -> bytes:
        if hasattr(obj, "dumps"):
            return self._tx.as_literal(obj.dumps(obj.adapted))
        return bytes(import_module("psycopg2.extensions").adapt(obj).getquoted())


_RANGES = ("_range.NumericRange", "_range.DateRange", "_range.DateTimeRange", "_range.DateTimeTZRange")
_THEIRS = ("_json.Json", "extensions.AsIs", "extensions.Binary", *_RANGES)


def like_psycopg2(connect: Callable[[], Awaitable[AsyncConnection[Any]]]) -> Callable[..., Awaitable[Any]]:
    """`connect`, for connections that put values into the text, and return addresses as text."""

    async def connect_so(**_: Any) -> AsyncConnection[Any]:
        connection = await connect()
        connection.cursor_factory = AsyncClientCursor
        connection.adapters.register_dumper(tuple, _InParentheses)
        for name in _THEIRS:
            connection.adapters.register_dumper(f"psycopg2.{name}", _Quoted)
        for name in ("inet", "cidr"):
            connection.adapters.register_loader(name, TextLoader)
        return connection

    return connect_so


class LikePsycopg2(PGDialectAsync_psycopg):
    """The dialect of psycopg, with what a revision can see of psycopg2.

    Its statements do not say what type SQLAlchemy takes a value for: `'prose'::VARCHAR` is no label.
    """

    driver = "psycopg2"
    supports_statement_cache = True
    bind_typing = BindTyping.NONE
    use_insertmanyvalues_wo_returning = True  # as there: many rows a statement, not one (op.bulk_insert)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """For `isinstance`, which takes it for either: `postgresql.dialect` is psycopg2's in SQLAlchemy 2.0."""
        return PGDialect_psycopg2

    @classmethod
    def get_async_dialect_cls(cls, url: URL) -> type[Dialect]:
        """This one."""
        return cls

    def get_driver_connection(self, connection: Any) -> Any:
        """What a revision reaches for under `driver_connection`."""
        return _WithoutAwait(connection)


def make_engine(url: URL, **options: Any) -> AsyncEngine:
    """An engine of this dialect; `options` as for `create_async_engine`."""
    registry.register("postgresql.like_psycopg2", __name__, LikePsycopg2.__name__)
    # For hstore SQLAlchemy would want the driver's own connection.
    engine = create_async_engine(url.set(drivername="postgresql+like_psycopg2"), use_native_hstore=False, **options)
    engine.sync_engine.url = url  # whoever makes another engine of it gets one that SQLAlchemy knows
    event.listen(engine.sync_engine, "connect", _with_its_cursors)
    event.listen(engine.sync_engine, "handle_error", _name_the_code)
    return engine


def _with_its_cursors(connection: Any, _: object) -> None:
    connection.__class__ = Psycopg2Connection  # how one is made differs between SQLAlchemy 2.0 and 2.1


class _WithoutAwait:
    """psycopg's own connection for who reaches for it: nobody awaits its statements, and so they would never run."""

    def __init__(self, adapted: Any) -> None:
        self._adapted = adapted

    def __getattr__(self, name: str) -> Any:
        waits = name in ("cursor", "commit", "rollback", "close")
        return getattr(self._adapted if waits else self._adapted._connection, name)


def _name_the_code(context: ExceptionContext) -> None:
    """psycopg2's names for SQLSTATE, by which revisions tell errors apart."""
    if isinstance(context.original_exception, Error):
        error: Any = context.original_exception
        error.pgcode = error.sqlstate
        if error.sqlstate and "psycopg2.errors" in sys.modules:
            theirs = sys.modules["psycopg2.errors"].lookup(error.sqlstate)
            error.__class__ = type(theirs.__name__, (type(error),), {"__class__": property(lambda _: theirs)})
