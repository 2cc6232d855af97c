"""Rows that exist: what a column that may not be NULL holds in them.

On the way up the models say it: by a server default, or by a plain value in Python, which the rows get as a default
that is taken away again. Where they say nothing the author is asked to. On the way down a column that comes back gets a
placeholder, for what it held is gone.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from alembic.operations import MigrateOperation
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from alembic_online.autogenerate.column_types import user_type
from alembic_online.autogenerate.context import Context, Schema, quoted
from alembic_online.autogenerate.definition_parser import clauses, names
from alembic_online.autogenerate.fills_first import Fill
from alembic_online.autogenerate.op_rendering import Code, Comment
from alembic_online.autogenerate.placeholders import numbered, placeholder
from alembic_online.autogenerate.python_defaults import from_models, model_column
from alembic_online.autogenerate.server_default import default_code
from alembic_online.errors import RequestRefused
from alembic_online.postgres import sqlstate as state
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind
from alembic_online.postgres.sql.verbatim import run_as_written
from alembic_online.runtime.row_security import every_row

_ANOTHER_EACH_TIME = {
    "clock": re.compile(r"\bnow\(|\bcurrent_(date|time)|\blocaltime|_timestamp\b|\btimeofday\(", re.IGNORECASE),
    "random": re.compile(r"\brandom(_normal)?\(|\bgen_random_|\buuid_?(generate_)?v", re.IGNORECASE),
}


NO_ROWS = "no_rows"
"""The hint of a column that is added to a table without rows."""


class StandIn(NamedTuple):
    """What the rows get in a new column.

    `default` is one that is taken away again; `update` is a statement between adding the column and NOT NULL; neither
    is there where the column itself says enough.
    """

    default: Code | str | None = None
    update: str | None = None
    remark: str | None = None


def stand_in(entry: CatalogueObject, context: Context) -> StandIn:
    """For a column that is added to a table.

    Raises:
        RequestRefused: the models say nothing of the rows that exist.
    """
    computed = context.old.catalogue.get(entry.identity)
    if computed is not None:
        return _as_computed(computed, entry)
    if not entry.has(Attribute.NOT_NULL) or _has_values(entry, context.new):
        return StandIn()
    type_ = entry.text(Attribute.TYPE)
    if context.models is None:
        return _placeholder(entry, context.new)
    value = from_models(entry, context)
    if value is None and _no_rows(entry, context):
        return StandIn(remark="Fails where the table has rows: the models say that it has none anywhere.")
    if value is None:
        raise RequestRefused(*_nothing_known(entry, context))
    return StandIn(default_code(value, type_), remark=_from_the_application(value))


def numbers(table: str, column: str, expression: str) -> str:
    """A statement that gives each row another value: `expression`, in which `numbered.n` is 1, 2, ..."""
    place = "tableoid AS part, ctid AS place"  # a place is one in its partition
    rows = f"(SELECT {place}, row_number() OVER () AS n FROM {table}) AS numbered"
    return f"UPDATE {table} SET {column} = {expression} FROM {rows} WHERE tableoid = part AND ctid = place"


def fill_nulls(entry: CatalogueObject, context: Context) -> Iterator[MigrateOperation]:
    """The lines before SET NOT NULL: NULLs of rows that exist get a value.

    Raises:
        RequestRefused: rows hold NULL, and the models say nothing of them.
    """
    table, column = quoted(entry.schema, entry.identity.table), quoted(entry.name)
    stated = entry.attributes.get(Attribute.DEFAULT)
    value = from_models(entry, context) if stated is None else str(stated)
    if value is None and context.models is None and not _refers(entry, context.new):
        value = placeholder(entry.text(Attribute.TYPE), context.new)
    if value is None and entry.identity in context.hold_null:
        raise RequestRefused(*_null_found(entry))
    if value is None:
        yield Comment(f"Fails where a row holds NULL in {entry.name}.")
        return
    yield Comment(f"No row may hold NULL in {entry.name} any more.")
    yield Fill(f"UPDATE {table} SET {column} = {value} WHERE {column} IS NULL", entry.identity, value)


def _placeholder(entry: CatalogueObject, schema: Schema) -> StandIn:
    type_, gone = entry.text(Attribute.TYPE), f"What {entry.name} held is gone"
    if _is_unique(entry, schema) and (expression := numbered(type_)):
        table, column = quoted(entry.schema, entry.identity.table), quoted(entry.name)
        return StandIn(update=numbers(table, column, expression), remark=f"{gone}: the rows are numbered.")
    value = None if _refers(entry, schema) else placeholder(type_, schema)
    if value is None:
        return StandIn(remark=f"{gone}, and nothing can stand in for it: this fails where there are rows.")
    return StandIn(default_code(value, type_), remark=f"{gone}: the rows get a placeholder.")


def _no_rows(entry: CatalogueObject, context: Context) -> bool:
    column = model_column(entry, context)
    return column is not None and bool(column.info.get(NO_ROWS))


def _from_the_application(value: str) -> str:
    if not value.startswith("'"):
        for rule, calls in _ANOTHER_EACH_TIME.items():
            if calls.search(value):
                return f"lint: allow {rule} because the model says so: rows that exist get it as new ones do."
    return "For the rows that exist: new ones get it from the application."


def _as_computed(before: CatalogueObject, after: CatalogueObject) -> StandIn:
    """A generated column that is rebuilt: as a plain one it keeps what it was computed to be."""
    if after.has(Attribute.GENERATED):
        return StandIn()
    expression = before.text(Attribute.GENERATED).removeprefix("ALWAYS AS ").rpartition(" ")[0]
    table, column = quoted(after.schema, after.identity.table), quoted(after.name)
    return StandIn(
        update=f"UPDATE {table} SET {column} = {expression}", remark=f"{after.name} keeps what was computed."
    )


def _has_values(entry: CatalogueObject, schema: Schema) -> bool:
    """Whether PostgreSQL knows what the rows get."""
    type_ = user_type(entry.text(Attribute.TYPE), schema)
    domain = type_ is not None and type_.kind is Kind.DOMAIN and type_.has(Attribute.DEFAULT)
    return domain or bool({Attribute.DEFAULT, Attribute.IDENTITY, Attribute.GENERATED} & entry.attributes.keys())


def _is_unique(entry: CatalogueObject, schema: Schema) -> bool:
    assert entry.parent is not None, "a column has a parent"
    keys = [child for child in schema.children(entry.parent) if _column_list(child) == [entry.name]]
    return any(
        child.attributes[Attribute.TYPE] != "foreign key" for child in keys if child.kind is Kind.CONSTRAINT
    ) or any(child.has(Attribute.UNIQUE) for child in keys if child.kind is Kind.INDEX)


def _refers(entry: CatalogueObject, schema: Schema) -> bool:
    """Whether it is part of a foreign key: then no value of its own can be made up."""
    assert entry.parent is not None, "a column has a parent"
    constraints = schema.children(entry.parent, Kind.CONSTRAINT)
    return any(
        child.attributes[Attribute.TYPE] == "foreign key" and entry.name in _column_list(child) for child in constraints
    )


def _column_list(entry: CatalogueObject) -> list[str]:
    """The columns that a constraint or an index names first, in parentheses."""
    if entry.kind not in (Kind.CONSTRAINT, Kind.INDEX) or entry.attributes.get(Attribute.TYPE) == "check":
        return []
    groups = [part for part in clauses(entry.text(Attribute.DEFINITION)) if part.startswith("(")]
    return names(groups[0]) if groups else []


def hold_null(connection: Connection, live: Schema, wanted: Schema) -> frozenset[Identity]:
    """The columns of which rows hold NULL, among those that become NOT NULL, or would if they were renamed."""
    nullable = [entry for entry in live.catalogue.values() if _may_be_null(entry)]
    new = (wanted.catalogue[identity] for identity in wanted.catalogue.keys() - live.catalogue.keys())
    added = any(entry.kind is Kind.COLUMN and _is_strict(entry) for entry in new)

    def becomes_strict(entry: CatalogueObject) -> bool:
        after = wanted.catalogue.get(entry.identity)
        return added if after is None else _is_strict(after)

    return frozenset(
        entry.identity for entry in nullable if becomes_strict(entry) and _holds_null(connection, entry.identity)
    )


def called_now(columns: frozenset[Identity], schema: Schema, was: Mapping[Identity, Identity]) -> frozenset[Identity]:
    """Those columns, by the names that they have in `schema`; `was` says what these were before."""

    def before(column: Identity) -> Identity:
        table = Identity(Kind.TABLE, column.schema, "", column.table)
        there = was.get(table, table)
        return column._replace(schema=there.schema, table=there.name, name=was.get(column, column).name)

    found = (identity for identity in schema.catalogue if identity.kind is Kind.COLUMN)
    return frozenset(identity for identity in found if before(identity) in columns)


def _may_be_null(entry: CatalogueObject) -> bool:
    return (
        entry.kind is Kind.COLUMN
        and entry.parent is not None
        and entry.parent.kind is Kind.TABLE
        and not _is_strict(entry)
    )


def _is_strict(entry: CatalogueObject) -> bool:
    return entry.has(Attribute.NOT_NULL)


def _holds_null(connection: Connection, column: Identity) -> bool:
    rows = f"SELECT FROM {quoted(column.schema, column.table)} WHERE {quoted(column.name)} IS NULL"
    try:
        with every_row(connection):
            asked = run_as_written(connection, f"SELECT EXISTS ({rows})")
            return bool(asked.scalar())
    except DBAPIError as error:
        if state.sqlstate(error) != state.INSUFFICIENT_PRIVILEGE:
            raise
        return False  # a policy hides rows from this role: nobody knows, and the line says on what it fails


def _nothing_known(entry: CatalogueObject, context: Context) -> tuple[str, str]:
    column = model_column(entry, context)
    in_python = column is not None and column.default is not None
    why = "its default is a function of Python, which no file can call" if in_python else "it has no default"
    return (
        f"{entry.identity.table}.{entry.name} is new and may not be NULL, but {why}: what do the rows hold that exist?",
        "Choose a line for the model:\n"
        '  server_default=text("...")   the database gives it, to new rows as well\n'
        "  nullable=True                for now; fill it, and make it NOT NULL in a later revision\n"
        f'  info={{"{NO_ROWS}": True}}       the table has no rows anywhere; take it out afterwards\n'
        "  default=...                  a plain value: these rows get it; code that still runs and does not know the\n"
        "                               column inserts nothing any more",
    )


def _null_found(entry: CatalogueObject) -> tuple[str, str]:
    return (
        f"{entry.identity.table}.{entry.name} is not to be NULL any more, but rows hold NULL, and it has no default.",
        "Fill them first, in a revision of their own; or give the model a value for them:\n"
        '  server_default=text("...")   the database gives it, to new rows as well\n'
        "  default=...                  a plain value: these rows get it, new ones from the application",
    )
