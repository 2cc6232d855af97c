"""A project's own models as plain data, to be changed at random.

What plain data has no word for stays as it is: its statement is kept, and the columns that it mentions are not changed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import MetaData
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import AddConstraint, CreateIndex

from alembic_online.postgres.declared import Extension, SQLObject, Turn, declared
from alembic_online.testing.crucible.schema import Column, Enum, Index, Reference, Rule, Schema, Table

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_SHORT = {
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "float": "double precision",
}
_WORD = re.compile(r"\w+")


def schema_of(metadata: MetaData) -> Schema:
    """The tables of the default schema. Raises `ValueError` for a table that has no key."""
    enums: dict[str, Enum] = {}
    others: list[str] = []
    objects = [each for each in declared(metadata) if isinstance(each, SQLObject)]
    said = " ".join(each.sql for each in objects)
    tables = []
    for table in metadata.sorted_tables:
        if not table.primary_key.columns:
            raise ValueError(f"{table.fullname} has no primary key")
        tables.append(_table(table, enums, others, said))
    return Schema(
        tuple(tables),
        tuple(enums.values()),
        (),
        (*others, *(each.sql for each in objects if each.turn is Turn.AFTER_TABLES)),
        tuple(each.name for each in declared(metadata) if isinstance(each, Extension)),
        tuple(each.sql for each in objects if each.turn is not Turn.AFTER_TABLES),
    )


def _table(table: sa.Table, enums: dict[str, Enum], others: list[str], said: str) -> Table:
    """What has no word goes to `others`; `said` is the text of all declared objects."""
    kept = _Kept(others, [said])
    columns = tuple(_column(column, enums) for column in table.columns)
    rules: list[Rule] = []
    references: list[Reference] = []
    of_columns = [each for column in table.columns for each in column.constraints]
    for constraint in sorted([*table.constraints, *of_columns], key=_name):
        if isinstance(constraint, sa.UniqueConstraint):
            rules.append(Rule(_name(constraint), tuple(column.name for column in constraint.columns)))
        elif isinstance(constraint, sa.CheckConstraint):
            rules += _check(constraint, kept)
        elif isinstance(constraint, sa.ForeignKeyConstraint) and len(constraint.elements) == 1:
            target = constraint.elements[0].column
            of = (constraint.columns[0].name, target.table.name, str(constraint.ondelete or ""), target.name)
            references.append(Reference(_name(constraint), *of))
        elif not isinstance(constraint, sa.PrimaryKeyConstraint):
            kept.add(str(AddConstraint(constraint).compile(dialect=_DIALECT)))
    indexes = tuple(_indexes(table, kept))
    words = set(_WORD.findall(" ".join([*kept.texts, *(column.generated for column in columns)])))
    fixed = tuple(column.name for column in columns if column.name in words)
    key = tuple(column.name for column in table.primary_key.columns)
    return Table(table.name, columns, key, tuple(rules), tuple(references), indexes, fixed=fixed)


@dataclass(frozen=True)
class _Kept:
    """Statements as they are, and all texts that may mention a column."""

    statements: list[str]
    texts: list[str]

    def add(self, statement: str) -> None:
        self.statements.append(statement)
        self.texts.append(statement)


def _check(constraint: sa.CheckConstraint, kept: _Kept) -> Iterator[Rule]:
    if not constraint._type_bound:
        text = next(_texts(constraint.sqltext))
        kept.texts.append(text)
        yield Rule(_name(constraint), (), _braced(text))


def _indexes(table: sa.Table, kept: _Kept) -> Iterator[Index]:
    for index in sorted(table.indexes, key=lambda each: str(each.name)):
        parts = [each for each in index.expressions if isinstance(each, sa.Column)]
        if len(parts) == len(index.expressions) and not any(index.dialect_kwargs.values()):
            yield Index(_index_name(index), tuple(part.name for part in parts), bool(index.unique))
        else:
            kept.add(str(CreateIndex(index).compile(dialect=_DIALECT)))


def _column(column: "sa.Column[object]", enums: dict[str, Enum]) -> Column:
    type_ = column.type.compile(dialect=_DIALECT)
    if isinstance(column.type, sa.Enum) and column.type.native_enum and column.type.name:
        enums[column.type.name] = Enum(column.type.name, tuple(column.type.enums))
        type_ = column.type.name
    elif type_.isascii():
        type_ = _SHORT.get(type_.lower(), type_.lower())
    generated, persisted, identity = "", True, ""
    if column.computed is not None:
        generated = _braced(next(_texts(column.computed.sqltext)))
        persisted = column.computed.persisted is not False
    if column.identity is not None:
        identity = "always" if column.identity.always else "by default"
    if column.table.autoincrement_column is column and column.server_default is None and column.identity is None:
        type_ = {"integer": "serial", "bigint": "bigserial"}.get(type_, type_)
    default = column.server_default
    given = next(_texts(default.arg)) if isinstance(default, sa.DefaultClause) else ""
    return Column(column.name, type_, bool(column.nullable), given, generated, (), persisted, identity)


def _texts(expression: object) -> Iterator[str]:
    if isinstance(expression, str):
        yield "'" + expression.replace("'", "''") + "'"
    elif isinstance(expression, sa.ClauseElement):
        yield str(expression.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def _braced(text: str) -> str:
    """As a pattern in which nothing is filled in."""
    return text.replace("{", "{{").replace("}", "}}")


def _index_name(index: sa.Index) -> str:
    return str(_DIALECT.identifier_preparer.format_index(index)).strip('"')


def _name(constraint: "sa.Constraint") -> str:
    if constraint.name is None:
        return ""
    return str(_DIALECT.identifier_preparer.format_constraint(constraint) or "").strip('"')
