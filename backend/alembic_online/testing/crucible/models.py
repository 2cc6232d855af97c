"""The MetaData of a schema that is plain data: what the models of a project are."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import MetaData
from sqlalchemy.types import UserDefinedType

from alembic_online.postgres.declared import Extension, SQLObject, declare
from alembic_online.testing.crucible.names import quoted
from alembic_online.testing.crucible.schema import Attached, Column, Enum, Index, Schema, Table

_TRIGGER = """
CREATE FUNCTION {name}_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.{column} := coalesce(NEW.{column}, OLD.{column}); RETURN NEW; END $$
"""


class Written(UserDefinedType[Any]):
    """A type as SQL writes it."""

    cache_ok = True

    def __init__(self, written: str) -> None:
        self.written = written

    def get_col_spec(self, **_: Any) -> str:
        return self.written


def metadata_of(schema: Schema) -> MetaData:
    """Tables by SQLAlchemy, all else declared."""
    metadata = MetaData()
    enums = {enum.name: sa.Enum(*enum.labels, name=enum.name, metadata=metadata) for enum in schema.enums}
    declare(metadata, *(Extension(name) for name in schema.extensions))
    declare(metadata, *(SQLObject(each, before_tables=True) for each in schema.firsts))
    for table in schema.tables:
        _table(table, metadata, enums, {enum.name: enum for enum in schema.enums})
    statements = [*schema.others, *(each for table in schema.tables for each in _partitions(table))]
    declare(
        metadata, *map(SQLObject, [*statements, *(each for item in schema.attached for each in statements_of(item))])
    )
    return metadata


def _table(table: Table, metadata: MetaData, enums: dict[str, sa.Enum], labels: dict[str, Enum]) -> None:
    made = sa.Table(
        table.name,
        metadata,
        *(_column(column, enums, labels) for column in table.columns),
        sa.PrimaryKeyConstraint(*table.key),
        *(_rules(table)),
        info={"renamed_from": table.renamed_from} if table.renamed_from else {},
        postgresql_partition_by=f"RANGE ({table.key[0]})" if table.partitions else None,
    )
    for index in table.indexes:
        _index(index, made)


def _column(column: Column, enums: dict[str, sa.Enum], labels: dict[str, Enum]) -> sa.Column[Any]:
    info: dict[str, Any] = {"renamed_from": column.renamed_from} if column.renamed_from else {}
    if (enum := labels.get(column.type)) and (enum.renamed or enum.merged):
        info["renamed_from"] = {**dict(enum.renamed), **{new: [old] for new, old in enum.merged}}
    more: list[Any] = []
    if column.generated:
        more.append(sa.Computed(column.generated.format(*map(quoted, column.reads)), persisted=column.persisted))
    if column.identity:
        more.append(sa.Identity(always=column.identity == "always"))
    return sa.Column(
        column.name,
        enums.get(column.type) or Written(column.type),
        *more,
        nullable=column.nullable,
        server_default=sa.text(column.default) if column.default else None,
        autoincrement="auto" if column.identity else False,
        info=info,
    )


def _rules(table: Table) -> Iterator[sa.Constraint]:
    for rule in table.rules:
        if rule.check:
            yield sa.CheckConstraint(rule.check.format(*map(quoted, rule.columns)), name=rule.name or None)
        else:
            yield sa.UniqueConstraint(*rule.columns, name=rule.name or None)
    for each in table.references:
        yield sa.ForeignKeyConstraint(
            [each.column], [f"{each.table}.{each.target}"], name=each.name or None, ondelete=each.on_delete or None
        )


def _index(index: Index, table: sa.Table) -> None:
    parts: list[Any] = [table.c[name] for name in index.columns]
    if index.expression:
        parts = [sa.text(index.expression.format(*map(quoted, index.columns)))]
    where: dict[str, Any] = {}
    if index.where:
        where["postgresql_where"] = sa.text(index.where.format(*map(quoted, index.columns)))
    sa.Index(index.name, *parts, unique=index.unique, postgresql_using=index.using, _table=table, **where)


def _partitions(table: Table) -> Iterator[str]:
    for number in range(table.partitions):
        bounds = f"({number * 1000}) TO ({(number + 1) * 1000})"
        part = quoted(f"{table.name}_{number}")
        yield f"CREATE TABLE {part} PARTITION OF {quoted(table.name)} FOR VALUES FROM {bounds}"


def statements_of(item: Attached) -> Iterator[str]:
    """The SQL that makes it."""
    table, columns = quoted(item.table), ", ".join(map(quoted, item.columns))
    match item.kind:
        case "view":
            yield f"CREATE VIEW {item.name} AS SELECT {columns} FROM {table}"
        case "materialized view":
            yield f"CREATE MATERIALIZED VIEW {item.name} AS SELECT {columns} FROM {table}"
        case "trigger":
            yield _TRIGGER.format(name=item.name, column=quoted(item.columns[0]))
            timing = f"BEFORE UPDATE OF {columns} ON {table}"
            yield f"CREATE TRIGGER {item.name} {timing} FOR EACH ROW EXECUTE FUNCTION {item.name}_run()"
        case "policy":
            yield f"CREATE POLICY {item.name} ON {table} USING ({columns} IS NOT NULL OR true)"
