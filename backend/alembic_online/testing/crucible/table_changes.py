"""Random changes of tables: their rules, references and indexes, and tables themselves."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from alembic_online.testing.crucible import schemas
from alembic_online.testing.crucible.column_changes import one_table, tidied
from alembic_online.testing.crucible.dice import Dice
from alembic_online.testing.crucible.schema import Schema, without
from alembic_online.testing.crucible.schemas import TABLES


def _rule(dice: Dice, schema: Schema) -> Schema:
    return schema.having(schemas.rule(dice, one_table(dice, schema)))


def _drop_rule(dice: Dice, schema: Schema) -> Schema:
    table = one_table(dice, schema)
    if not table.rules:
        return schema
    return schema.having(replace(table, rules=without(table.rules, dice.one(table.rules, lambda each: each.name).name)))


def _index(dice: Dice, schema: Schema) -> Schema:
    return schema.having(schemas.index(dice, one_table(dice, schema)))


def _drop_index(dice: Dice, schema: Schema) -> Schema:
    table = one_table(dice, schema)
    if not table.indexes:
        return schema
    gone = dice.one(table.indexes, lambda each: each.name)
    return schema.having(replace(table, indexes=without(table.indexes, gone.name)))


def _other_index(dice: Dice, schema: Schema) -> Schema:
    """Of the same name, on something else."""
    table = one_table(dice, schema)
    if not table.indexes:
        return schema
    old = dice.one(table.indexes, lambda each: each.name)
    new = schemas.index(dice, replace(table, indexes=())).indexes
    if not new:
        return schema
    made = replace(new[0], name=old.name, unique=False)
    return schema.having(replace(table, indexes=tuple(made if each is old else each for each in table.indexes)))


def _refer(dice: Dice, schema: Schema) -> Schema:
    """The column may be NULL: no row has anything to refer to."""
    table = one_table(dice, schema)
    referring = schemas.refer(dice, schema, table)
    if referring == table:
        return schema
    return schema.having(referring.having(replace(referring.columns[-1], nullable=True)))


def _no_reference(dice: Dice, schema: Schema) -> Schema:
    table = one_table(dice, schema)
    if not table.references:
        return schema
    gone = dice.one(table.references, lambda each: each.name)
    return schema.having(replace(table, references=without(table.references, gone.name)))


def _on_delete(dice: Dice, schema: Schema) -> Schema:
    table = one_table(dice, schema)
    if not table.references:
        return schema
    old = dice.one(table.references, lambda each: each.name)
    new = replace(old, on_delete="" if old.on_delete else "CASCADE")
    return schema.having(replace(table, references=tuple(new if each is old else each for each in table.references)))


def _add_table(dice: Dice, schema: Schema) -> Schema:
    free = [name for name in TABLES if name not in {each.name for each in schema.tables}]
    if not free:
        return schema
    return replace(schema, tables=(*schema.tables, schemas.random_table(dice, schema, dice.one(free))))


def _drop_table(dice: Dice, schema: Schema) -> Schema:
    referred = {reference.table for table in schema.tables for reference in table.references}
    free = [table for table in schema.tables if table.name not in referred]
    if len(schema.tables) < 2 or not free:
        return schema
    gone = dice.one(free, lambda table: table.name)
    return tidied(replace(schema, tables=without(schema.tables, gone.name)))


def _rename_table(dice: Dice, schema: Schema) -> Schema:
    tables = [table for table in schema.tables if not table.partitions and not table.renamed_from]
    free = [name for name in TABLES if name not in {each.name for each in schema.tables}]
    if not tables or not free:
        return schema
    old, new = dice.one(tables, lambda table: table.name), dice.one(free)
    renamed = schema.having(replace(old, name=new, renamed_from=old.name), called=old.name)
    attached = tuple(replace(each, table=new) if each.table == old.name else each for each in schema.attached)
    tables = [
        replace(
            table,
            references=tuple(replace(each, table=new) if each.table == old.name else each for each in table.references),
        )
        for table in renamed.tables
    ]
    return replace(renamed, tables=tuple(tables), attached=attached)


CHANGES: Mapping[str, Callable[[Dice, Schema], Schema]] = {
    "rule": _rule,
    "drop rule": _drop_rule,
    "index": _index,
    "drop index": _drop_index,
    "other index": _other_index,
    "refer": _refer,
    "no reference": _no_reference,
    "on delete": _on_delete,
    "add table": _add_table,
    "drop table": _drop_table,
    "rename table": _rename_table,
}
