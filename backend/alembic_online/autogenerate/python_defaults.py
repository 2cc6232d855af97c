"""Defaults that only Python knows: `default=` of a column, which the application gives to the rows it inserts."""

from sqlalchemy import Column, Sequence, literal
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.exc import CompileError
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import TypeEngine

from alembic_online.autogenerate.context import Context
from alembic_online.postgres.catalogue import CatalogueObject

# No driver's: what that would wrap stays text.
_DIALECT = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]


def model_column(entry: CatalogueObject, context: Context) -> Column[object] | None:
    """The column of the models that this is; None for one that was declared by SQL."""
    for table in context.models.tables.values() if context.models is not None else ():
        if table.name == entry.identity.table and (table.schema or context.new.default) == entry.schema:
            return next((column for column in table.columns if column.name == entry.name), None)
    return None


def from_models(entry: CatalogueObject, context: Context) -> str | None:
    """The default as SQL; None if there is none, or one that cannot stand in a file, such as a function of Python."""
    column = model_column(entry, context)
    default = None if column is None else column.default
    if column is None or default is None or isinstance(default, Sequence):
        return None
    value = getattr(default, "arg", None)
    if not default.is_scalar and not default.is_clause_element:
        return None
    try:
        expression = value if isinstance(value, ClauseElement) else literal(value, column.type)
        return str(expression.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
    except (CompileError, NotImplementedError):
        return _as_sent(value, column.type)


def _as_sent(value: object, type_: TypeEngine[object]) -> str | None:
    """JSON and the like: the text that SQLAlchemy sends to a driver."""
    send = type_.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    sent = None if send is None else send(value)
    return "'" + sent.replace("'", "''") + "'" if isinstance(sent, str) else None
