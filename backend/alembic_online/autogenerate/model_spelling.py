"""A CHECK and an index in the words of the models: `kind IN ('a', 'b')` reads better than what PostgreSQL prints, and
means the same to it."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import CheckConstraint, Index, MetaData, Table, text
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import Constraint
from sqlalchemy.sql.elements import ClauseElement

from alembic_online.autogenerate.context import Context
from alembic_online.autogenerate.definition_parser import name as unquoted
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Kind

_DIALECT = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]  # a percent sign stays one


def formatted_name(named: Constraint | Index) -> str | None:
    """The name that was given, or made by the naming convention; None if PostgreSQL chooses one."""
    preparer = _DIALECT.identifier_preparer
    if not isinstance(named.name, str):
        return None
    name = preparer.format_index(named) if isinstance(named, Index) else preparer.format_constraint(named)
    return unquoted(str(name))


def check_words(entry: CatalogueObject, context: Context) -> str | None:
    """The condition of a CHECK as the models say it; None if they do not, or it is not clear which it is."""
    for table in _tables(entry, context):
        checks = [each for each in table.constraints if isinstance(each, CheckConstraint)]
        found = [each for each in checks if formatted_name(each) == entry.name]
        if not found and _is_the_one_without_a_name(entry, checks, context):
            found = [each for each in checks if formatted_name(each) is None]
        return _words(found[0].sqltext) if len(found) == 1 else None
    return None


def _is_the_one_without_a_name(entry: CatalogueObject, checks: list[CheckConstraint], context: Context) -> bool:
    assert entry.parent is not None, "a constraint has a table"
    named = {formatted_name(each) for each in checks}
    there = context.new.children(entry.parent, Kind.CONSTRAINT)
    others = [each for each in there if each.attributes[Attribute.TYPE] == "check" and each.name not in named]
    return [each.identity for each in others] == [entry.identity]


def index_words(entry: CatalogueObject, context: Context) -> tuple[str | None, list[str]]:
    """The predicate of an index as the models say it, None if they do not; and the names of its options, in order."""
    for table in _tables(entry, context):
        for index in table.indexes:
            if formatted_name(index) == entry.name:
                given: Any = index.dialect_options["postgresql"]
                where = given["where"]
                predicate = text(where) if isinstance(where, str) else where
                return None if predicate is None else _words(predicate), list(given["with"])
    return None, []


def _tables(entry: CatalogueObject, context: Context) -> Iterator[Table]:
    metadata: MetaData | None = context.models
    for table in metadata.tables.values() if metadata is not None else ():
        if (table.schema or context.new.default, table.name) == (entry.schema, entry.identity.table):
            yield table


def _words(expression: ClauseElement) -> str | None:
    compiler = _DIALECT.ddl_compiler(_DIALECT, None).sql_compiler  # type: ignore[arg-type]  # of no statement
    try:
        return str(compiler.process(expression, include_table=False, literal_binds=True)).strip()
    except (CompileError, NotImplementedError):
        return None
