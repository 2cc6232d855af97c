"""Names in SQL, and the SQL that SQLAlchemy makes of DDL."""

from typing import Any

from sqlalchemy import DDL
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ClauseElement, ColumnElement
from sqlalchemy.sql.schema import Table

# With named parameters a % stays as it is, whatever driver is in use.
_DIALECT = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]  # SQLAlchemy's own
_quote = _DIALECT.identifier_preparer


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return str(_quote.quote(name))


def qualified(name: str, schema: str | None) -> str:
    """The name of a table or index, with its schema if it has one."""
    return f"{_quote.quote_schema(schema)}.{quoted(name)}" if schema else quoted(name)


def table_name(table: Table) -> str:
    """The name of a table, with its schema if it has one."""
    return str(_quote.format_table(table))


def literal(value: str) -> str:
    """A string constant."""
    return "'" + value.replace("'", "''") + "'"


def ddl(construct: Executable) -> str:
    """The SQL of DDL."""
    assert isinstance(construct, ClauseElement), "all DDL is one"
    return str(construct.compile(dialect=_DIALECT)).strip()


def verbatim(sql: str) -> DDL:
    """`sql` as it is, to be run by any driver."""
    return DDL(sql.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy's own


def expression(element: ColumnElement[Any] | str) -> str:
    """The SQL of an expression, its values written out and its columns without their table."""
    if isinstance(element, str):
        return element
    compiler = _DIALECT.statement_compiler(_DIALECT, None)
    return str(compiler.process(element, include_table=False, literal_binds=True))
