"""Building models that `create_all` cannot build: statement by statement, beside what only the live database has.

First everything is tried as it is. What is refused is tried again beside the functions, types, sequences, ... of the
live database that no model makes, then a table piece by piece: the rest of it is made, and compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from alembic.util import CommandError
from sqlalchemy import CheckConstraint, Connection, Executable, Index, MetaData, PrimaryKeyConstraint, Sequence, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import AddConstraint, Constraint, CreateColumn, CreateTable
from sqlalchemy.sql.compiler import DDLCompiler
from sqlalchemy.types import SchemaType

from alembic_online.autogenerate.cannot_write import CannotWrite
from alembic_online.autogenerate.context import Context, Schema, read_schema
from alembic_online.autogenerate.diff import plan
from alembic_online.autogenerate.obstacles import Obstacle
from alembic_online.autogenerate.schema_copy import run_lines
from alembic_online.postgres.catalogue import Catalogue, CatalogueObject, Identity, Kind
from alembic_online.postgres.dimension_limit import note_dimension_limit
from alembic_online.postgres.missing_types import note_where_it_is
from alembic_online.postgres.sql.batched_ddl import gathered
from alembic_online.postgres.sql.verbatim import run_as_written
from alembic_online.postgres.sqlstate import DUPLICATE_OBJECT, DUPLICATE_TABLE, server_message, sqlstate

_HELPS = frozenset(
    {
        *(Kind.SCHEMA, Kind.COLLATION, Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE, Kind.RANGE, Kind.FUNCTION),
        *(Kind.PROCEDURE, Kind.AGGREGATE, Kind.OPERATOR, Kind.OPERATOR_FAMILY, Kind.OPERATOR_CLASS, Kind.CAST),
        *(Kind.TEXT_SEARCH_DICTIONARY, Kind.TEXT_SEARCH_CONFIGURATION, Kind.SEQUENCE),
    }
)
"""What the models may need and SQLAlchemy has no word for."""
_WHOLE = ("partition_by", "inherits")
"""Of a table that cannot be made column by column."""


@dataclass
class _Refused:
    statement: str
    element: Executable | None
    error: DBAPIError


@dataclass
class Build:
    """One attempt to make the models in the empty database of `connection`, which is in autocommit."""

    connection: Connection
    live: Schema
    default: str
    refused: list[_Refused] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)
    helpers: set[Identity] = field(default_factory=set)
    """What was taken from the live database."""

    def make(self, metadata: MetaData) -> None:
        """Make what can be made. Raises `DBAPIError` for what a listener of the models' own runs."""
        with gathered(self.connection, self._refuse):
            metadata.create_all(self.connection, checkfirst=False)
        if not self.refused:
            return
        self.connection.exec_driver_sql("SET check_function_bodies = off")
        while self.refused and (self._help() | self._again() or self._in_pieces()):
            pass
        for refused in self.refused:
            made = _made(refused.element, self.default)
            if made is None or made not in {
                obstacle.made for obstacle in self.obstacles
            }:  # a comment on it comes later
                self._is_obstacle(refused.statement, refused.error, made)

    def _refuse(self, statement: str, element: Executable | None, error: DBAPIError) -> None:
        self.refused.append(_Refused(statement, element, error))

    def _help(self) -> bool:
        """Take over what can be taken over now; whether anything was."""
        taken = False
        state = read_schema(self.connection)
        for identity in sorted(self.live.catalogue.keys() - state.catalogue.keys() - self.helpers):
            entry = self.live.catalogue[identity]
            needs = self.live.needs.get(identity, frozenset()) & self.live.catalogue.keys()
            if entry.kind not in _HELPS or entry.parent is not None or not needs <= state.catalogue.keys():
                continue
            parts = [*_with_parts(entry, self.live)]
            goal = replace(state, catalogue=Catalogue([*state.catalogue.values(), *parts]), default="")
            try:
                run_lines(self.connection, plan(Context(replace(state, default=""), goal)))
            except (DBAPIError, CommandError, CannotWrite):
                continue
            self.helpers |= {part.identity for part in parts}
            state, taken = goal, True
        return taken

    def _again(self) -> bool:
        """Try what was refused; whether any of it can be made now."""
        waiting, self.refused = self.refused, []
        for each in waiting:
            self._try(each.statement, each.element)
        return len(self.refused) < len(waiting)

    def _try(self, statement: str, element: Executable | None) -> None:
        try:
            run_as_written(self.connection, statement)
        except DBAPIError as error:
            self._refuse(statement, element, error)

    def _in_pieces(self) -> bool:
        """Make the first table that cannot be made as a whole; what of it cannot be made is an obstacle."""
        for each in self.refused:
            if isinstance(each.element, CreateTable) and not _is_whole(each.element.element):
                self.refused.remove(each)
                self._make_in_pieces(each.element.element)
                return True
        return False

    def _make_in_pieces(self, table: Table) -> None:
        dialect = self.connection.dialect
        compiler = dialect.ddl_compiler(dialect, CreateTable(table))
        name = dialect.identifier_preparer.format_table(table)
        schema = table.schema or self.default
        kind, options = " ".join([*table._prefixes, "TABLE"]), compiler.post_create_table(table)
        self._piece(f"CREATE {kind} {name} () {options}", Identity(Kind.TABLE, schema, "", table.name))
        for column in table.columns:
            spelled = str(CreateColumn(column).compile(dialect=dialect)).strip()
            made = Identity(Kind.COLUMN, schema, table.name, column.name)
            self._piece(f"ALTER TABLE {name} ADD COLUMN {spelled}", made)
        for constraint in _constraints(table, compiler):
            spelled = str(AddConstraint(constraint, isolate_from_table=False).compile(dialect=dialect))
            made = Identity(Kind.CONSTRAINT, schema, table.name, str(constraint.name or ""))
            self._piece(spelled, made)

    def _piece(self, statement: str, made: Identity) -> None:
        try:
            run_as_written(self.connection, statement)
        except DBAPIError as error:
            self._is_obstacle(statement, error, made)

    def _is_obstacle(self, statement: str, error: DBAPIError, made: Identity | None) -> None:
        note_where_it_is(error, self.connection)
        note_dimension_limit(error)
        notes = tuple(getattr(error, "__notes__", ()))
        twice = sqlstate(error) in (DUPLICATE_TABLE, DUPLICATE_OBJECT)
        self.obstacles.append(Obstacle(statement, server_message(error), made, notes, is_double=twice))


def _with_parts(entry: CatalogueObject, schema: Schema) -> Iterator[CatalogueObject]:
    yield entry
    for part in schema.children(entry.identity):
        yield from _with_parts(part, schema)


def _constraints(table: Table, compiler: DDLCompiler) -> Iterator[Constraint]:
    """As CREATE TABLE would have them."""
    for constraint in sorted(table.constraints, key=_in_order):
        empty = isinstance(constraint, PrimaryKeyConstraint) and not constraint.columns
        ruled_out = constraint._create_rule is not None and not constraint._create_rule(compiler)
        if not empty and not ruled_out and not getattr(constraint, "use_alter", False):
            yield constraint


def _in_order(constraint: Constraint) -> tuple[bool, bool, int]:
    """The primary key first, CHECKs in the middle, else as they were written."""
    is_key, is_check = isinstance(constraint, PrimaryKeyConstraint), isinstance(constraint, CheckConstraint)
    return not is_key, not is_check, constraint._creation_order


def _is_whole(table: Table) -> bool:
    options = table.dialect_options["postgresql"]
    return any(options.get(name) for name in _WHOLE)


def _made(element: Executable | None, default: str) -> Identity | None:
    """What SQLAlchemy's element was to make; also of a comment, which is a part of it."""
    what = getattr(element, "element", None)
    if isinstance(what, Table):
        return Identity(Kind.TABLE, what.schema or default, "", what.name)
    if isinstance(what, Index | Constraint):
        table = getattr(what, "table", None)
        schema, name = (table.schema or default, table.name) if table is not None else (default, "")
        kind = Kind.INDEX if isinstance(what, Index) else Kind.CONSTRAINT
        return Identity(kind, schema, name, str(what.name or ""))
    if isinstance(what, Sequence):
        return Identity(Kind.SEQUENCE, what.schema or default, "", what.name)
    if isinstance(what, SchemaType):
        return Identity(Kind.ENUM, what.schema or default, "", str(getattr(what, "name", "")))
    table = getattr(what, "table", None)
    if isinstance(table, Table):  # a comment on a column
        return Identity(Kind.COLUMN, table.schema or default, table.name, str(getattr(what, "name", "")))
    return None
