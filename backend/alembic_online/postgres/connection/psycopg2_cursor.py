"""What psycopg2's cursor has and psycopg's has not, for revisions that take a raw cursor (`op.get_bind().connection`).

`psycopg2.extras.execute_values` and its kin need no more than this, and `mogrify`.
"""

from types import SimpleNamespace
from typing import Any

from psycopg import pq
from psycopg.rows import dict_row, namedtuple_row, tuple_row
from psycopg.sql import SQL, Composed, Identifier, Literal, Placeholder
from sqlalchemy.dialects.postgresql.psycopg import AsyncAdapt_psycopg_connection, AsyncAdapt_psycopg_cursor
from sqlalchemy.util import await_only

_PIECE = 8192  # bytes or characters; psycopg2's own


class Psycopg2Connection(AsyncAdapt_psycopg_connection):
    """A connection of SQLAlchemy's whose cursors have them."""

    __slots__ = ()

    def cursor(self, *arguments: Any, cursor_factory: type | None = None, **options: Any) -> Any:
        """As ever; one with a name is the server's, and has no more than psycopg's."""
        cursor: Any = super().cursor(*arguments, **options)  # type: ignore[no-untyped-call]
        if type(cursor) is AsyncAdapt_psycopg_cursor:
            cursor.__class__ = Psycopg2Cursor
        if cursor_factory is not None:
            cursor._cursor.row_factory = _ROWS.get(cursor_factory.__name__, tuple_row)
        return cursor


class _Row(tuple[Any, ...]):
    """A row by place and by name."""

    names: tuple[str, ...] = ()

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)

    def keys(self) -> tuple[str, ...]:
        """The names, for `dict(row)`."""
        return self.names


def _row(cursor: Any) -> Any:
    names = tuple(column.name for column in cursor.description or ())
    return type("Row", (_Row,), {"names": names})


_ROWS: dict[str, Any] = {"DictCursor": _row, "RealDictCursor": dict_row, "NamedTupleCursor": namedtuple_row}


class Psycopg2Cursor(AsyncAdapt_psycopg_cursor):
    """A cursor that also speaks as psycopg2's does."""

    __slots__ = ()

    @property
    def connection(self) -> Any:
        """What `execute_values` asks of it."""
        return SimpleNamespace(encoding="UTF8")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def execute(self, operation: Any, parameters: Any = None, **options: Any) -> Any:
        """As ever, and a statement made of psycopg2.sql."""
        return super().execute(_readable(operation), parameters, **options)

    def mogrify(self, query: Any, values: Any = None) -> bytes:
        """`query` with `values` in its text."""
        cursor: Any = self._cursor
        return str(cursor.mogrify(_readable(query), values)).encode()

    def copy_expert(self, sql: Any, file: Any, size: int = _PIECE) -> None:
        """Run COPY, from or to a file of text or bytes."""
        await_only(self._copy(_readable(sql), file, size))

    def copy_from(
        self, file: Any, table: str, sep: str = "\t", null: str = "\\N", size: int = _PIECE, columns: Any = None
    ) -> None:
        """Read rows from a file."""
        self.copy_expert(_copy(table, columns, "FROM STDIN", sep, null), file, size)

    def copy_to(self, file: Any, table: str, sep: str = "\t", null: str = "\\N", columns: Any = None) -> None:
        """Write rows to a file."""
        self.copy_expert(_copy(table, columns, "TO STDOUT", sep, null), file)

    async def _copy(self, sql: Any, file: Any, size: int) -> None:
        cursor: Any = self._cursor
        async with cursor.copy(sql) as copy:
            if cursor.pgresult.status == pq.ExecStatus.COPY_IN:
                while piece := file.read(size):
                    await copy.write(piece)
                return
            async for piece in copy:
                try:
                    file.write(bytes(piece))
                except TypeError:  # a file of text
                    file.write(bytes(piece).decode())


def _copy(table: str, columns: Any, way: str, sep: str, null: str) -> Any:
    names = SQL(" ({})").format(SQL(", ").join(map(Identifier, columns))) if columns else SQL("")
    end = SQL(" WITH DELIMITER {} NULL {}").format(Literal(sep), Literal(null))
    return SQL("COPY {}{} {}{}").format(Identifier(table), names, SQL(way), end)


def _readable(query: Any) -> Any:
    """A statement; one that is made of psycopg2.sql in the same parts of psycopg's."""
    if type(query).__module__ != "psycopg2.sql":
        return query
    match type(query).__name__:
        case "Composed":
            return Composed([_readable(each) for each in query.seq])
        case "Identifier":
            return Identifier(*query.strings)
        case "Literal":
            return Literal(query.wrapped)
        case "Placeholder":
            return Placeholder(query.name)
    return SQL(query.string)
