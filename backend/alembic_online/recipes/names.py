"""Names in SQL, and the SQL that SQLAlchemy makes of DDL."""

import re
import zlib
from datetime import date, time
from typing import Any
from uuid import UUID

from sqlalchemy import DDL, Column, Dialect, Identity, Select, TextClause, Update
from sqlalchemy import literal as literal_of
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ClauseElement, ColumnElement
from sqlalchemy.sql.schema import Constraint, Table
from sqlalchemy.types import TypeEngine

from alembic_online.postgres.sql.literals import literal as literal
from alembic_online.revisions.faulty_line import refuse_what_has_no_value

# With named parameters a % stays as it is, whatever driver is in use.
_DIALECT = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]  # SQLAlchemy's own
refuse_what_has_no_value(_DIALECT)


class _WithValues(PGCompiler):
    """Of a column without a type the value has that of Python."""

    def render_literal_value(self, value: Any, type_: TypeEngine[Any]) -> str:
        kind = literal_of(value).type if type_._isnull else type_
        return str(super().render_literal_value(value, kind))  # type: ignore[no-untyped-call]  # SQLAlchemy's own


class _Writer(PGDialect):
    statement_compiler = _WithValues


_WRITER = _Writer(paramstyle="named")  # type: ignore[no-untyped-call]  # SQLAlchemy's own
_LONGEST = 63  # bytes: NAMEDATALEN - 1
_ENDING = "__new"
_quote = _DIALECT.identifier_preparer


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return str(_quote.quote(name))


def qualified(name: str, schema: str | None) -> str:
    """The name of a table or index, with its schema if it has one."""
    return f"{_quote.quote_schema(schema)}.{quoted(name)}" if schema else quoted(name)


def temporary(name: str) -> str:
    """The name of what is rebuilt, until it takes the place of the old one."""
    room = _LONGEST - len(_ENDING)
    if len(name.encode()) <= room:
        return name + _ENDING
    # Two long names may begin alike, as those of partitions do: what is cut off is told by a number.
    number = f"_{zlib.crc32(name.encode()):08x}"
    return name.encode()[: room - len(number)].decode(errors="ignore") + number + _ENDING


def is_temporary(name: str) -> bool:
    """Whether `temporary` may have made it: no client knows such a name."""
    return name.endswith(_ENDING)


def unquoted(name: str) -> str:
    """One name without its quotes."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def folded(name: str) -> str:
    """The name that PostgreSQL reads: without quotes, or in lower case."""
    return unquoted(name) if name.startswith('"') else name.lower()


def plain(name: str) -> str:
    """A name without quotes, to compare one that a person wrote with one that SQLAlchemy did."""
    return name.replace('"', "").lower()


def table_name(table: Table) -> str:
    """The name of a table, with its schema if it has one."""
    return str(_quote.format_table(table))


def default_sql(column: Column[Any]) -> str | None:
    """The SQL of a column's server default; None if it has none."""
    compiler = _DIALECT.ddl_compiler(_DIALECT, None)  # type: ignore[arg-type]  # none is there
    return compiler.get_column_default_string(column)


def identity_sql(identity: Identity) -> str:
    """`GENERATED ... AS IDENTITY (...)`."""
    return str(_DIALECT.ddl_compiler(_DIALECT, None).process(identity))  # type: ignore[arg-type]  # none is there


def sequence_options(identity: Identity) -> str:
    """The options that an identity gives its sequence, each after a space."""
    compiler = _DIALECT.ddl_compiler(_DIALECT, None)  # type: ignore[arg-type]  # none is there
    options = compiler.get_identity_options(identity)
    return f" {options}" if options else ""


def kind_sql(kind: TypeEngine[Any]) -> str:
    """A type as SQL writes it."""
    return str(_DIALECT.type_compiler_instance.process(kind))


def uncollated(kind: str) -> str:
    """A type as `to_regtype` reads it, to which COLLATE is a syntax error (PostgreSQL 16 to 18)."""
    return re.split(r"\sCOLLATE\s", kind, maxsplit=1, flags=re.IGNORECASE)[0]


def literal_value(value: object, kind: TypeEngine[Any]) -> str:
    """A Python value as a constant of this type."""
    own = kind.data_type if isinstance(kind, DOMAIN) else kind  # SQLAlchemy writes no constants of a domain
    return f"CAST({expression(literal_of(value, own))} AS {kind_sql(kind)})"


def ddl(construct: Executable) -> str:
    """The SQL of DDL."""
    assert isinstance(construct, ClauseElement), "all DDL is one"
    return str(construct.compile(dialect=_DIALECT)).strip()


def sql_of(statement: Executable) -> str:
    """The SQL of DDL, or of text as it was written."""
    return statement.text if isinstance(statement, TextClause) else ddl(statement)


def sql_of_definition(construct: Any, dialect: Dialect) -> str:
    """The SQL of DDL or of text, and "" for what reads or changes rows."""
    if isinstance(construct, str):
        return construct
    if getattr(construct, "__visit_name__", "") == "textclause":
        return str(construct.text)
    if getattr(construct, "is_select", False) or getattr(construct, "is_dml", False):
        return ""
    return str(construct.compile(dialect=dialect))


def written_out(statement: Executable) -> str:
    """The SQL of a query with its values in it; "" where it is none, or a value cannot be written as SQL."""
    if not isinstance(statement, Select | TextClause):
        return ""
    try:
        return str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
    except (CompileError, NotImplementedError):
        return ""


def update_written_out(statement: Executable) -> str:
    """The SQL of an UPDATE with its values in it; "" for anything else.

    Also where a value cannot be written as SQL, or is a moment or an id: another run of the revision makes another.
    """
    if isinstance(statement, TextClause):
        found = statement.text if not statement._bindparams else ""
        return "" if "\\:" in found else found  # of an escaped colon SQLAlchemy writes another text
    if not isinstance(statement, Update):
        return ""
    try:
        compiled = statement.compile(dialect=_DIALECT)
        if any(isinstance(value, date | time | UUID) for value in compiled.params.values()):
            return ""
        return str(statement.compile(dialect=_WRITER, compile_kwargs={"literal_binds": True}))
    except (CompileError, NotImplementedError):
        return ""


def around_name(construct: CreateIndex) -> tuple[str, str]:
    """CREATE INDEX without CONCURRENTLY, in two parts: what comes before its name, and what after its table's."""
    index = construct.element
    assert index.table is not None
    options = index.dialect_options["postgresql"]
    concurrently, options["concurrently"] = options["concurrently"], False
    head, rest = ddl(construct).split(f" {quoted(str(index.name))} ON {table_name(index.table)} ", 1)
    options["concurrently"] = concurrently
    return head, rest


def verbatim(sql: str) -> DDL:
    """`sql` as it is, to be run by any driver."""
    return DDL(sql.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy's own


def expression(element: ColumnElement[Any] | str) -> str:
    """The SQL of an expression, its values written out and its columns without their table."""
    if isinstance(element, str):
        return element
    compiler = _DIALECT.statement_compiler(_DIALECT, None)
    return str(compiler.process(element, include_table=False, literal_binds=True))


def formatted_constraint_name(constraint: Constraint) -> str | None:
    """The constraint's name as SQL writes it, by the naming convention if need be; None if it has none."""
    return None if constraint.name is None else _quote.format_constraint(constraint)


def deferrability(constraint: Constraint) -> str:
    """` DEFERRABLE INITIALLY ...`, or ""."""
    compiler = _DIALECT.ddl_compiler(_DIALECT, None)  # type: ignore[arg-type]  # none is there
    return str(compiler.define_constraint_deferrability(constraint))
