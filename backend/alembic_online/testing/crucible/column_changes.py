"""Random changes of columns: added, dropped, renamed, of another type or key, with another default."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from alembic_online.testing.crucible import schemas
from alembic_online.testing.crucible.dice import Dice
from alembic_online.testing.crucible.kinds import ALL
from alembic_online.testing.crucible.schema import Attached, Column, Schema, Table
from alembic_online.testing.crucible.schemas import WORDS, is_ordered

_KEY_TYPES = {"integer": ("bigint",), "bigint": ("integer",), "serial": ("bigint",)}


def one_table(dice: Dice, schema: Schema) -> Table:
    return dice.one(schema.tables, lambda table: table.name)


def _column(dice: Dice, table: Table) -> Column | None:
    return dice.one(table.plain, lambda column: column.name) if table.plain else None


def _add_column(dice: Dice, schema: Schema) -> Schema:
    """NOT NULL only with a default, mostly: else nothing could be written into the rows."""
    table = one_table(dice, schema)
    free = [word for word in WORDS if word not in table.names]
    column = schemas.random_column(dice, schema, dice.one(free))
    if not column.nullable and not column.default and dice.chance(0.9):
        column = replace(column, nullable=True)
    return schema.having(replace(table, columns=(*table.columns, column)))


def _drop_column(dice: Dice, schema: Schema) -> Schema:
    table = one_table(dice, schema)
    column = _column(dice, table)
    if column is None or len(table.columns) < 3:
        return schema
    return tidied(schema.having(less_column(table, column.name)))


def _rename_column(dice: Dice, schema: Schema) -> Schema:
    table = one_table(dice, schema)
    column = _column(dice, table)
    if column is None or column.renamed_from:
        return schema
    return rename(schema, table, column, dice.one(word for word in WORDS if word not in table.names))


def rename(schema: Schema, table: Table, column: Column, new: str) -> Schema:
    """The column is called `new` wherever it is mentioned."""

    def named(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if each == column.name else each for each in names)

    columns = tuple(
        replace(each, name=new, renamed_from=each.name) if each is column else replace(each, reads=named(each.reads))
        for each in table.columns
    )
    renamed = replace(
        table,
        columns=columns,
        rules=tuple(replace(each, columns=named(each.columns)) for each in table.rules),
        indexes=tuple(replace(each, columns=named(each.columns)) for each in table.indexes),
    )
    attached = tuple(
        replace(each, columns=named(each.columns)) if each.table == table.name else each for each in schema.attached
    )
    return replace(schema.having(renamed), attached=attached)


def _type(dice: Dice, schema: Schema) -> Schema:
    table = one_table(dice, schema)
    known = [column for column in table.plain if column.type in ALL and ALL[column.type].becomes]
    if not known:
        return schema
    column = dice.one(known, lambda each: each.name)
    changed = replace(column, type=dice.one(ALL[column.type].becomes), default="")
    if column.default:
        changed = replace(changed, default=schemas.random_default(dice, schema, changed.type))
    return tidied(schema.having(_fitting(table.having(changed), changed)))


def _key_type(dice: Dice, schema: Schema) -> Schema:
    """Of an id, and of all that refer to it."""
    free = [each for each in schema.tables if each.id.name not in each.fixed and not each.partitions]
    tables = [each for each in free if each.id.type in _KEY_TYPES]
    if not tables:
        return schema
    table = dice.one(tables, lambda each: each.name)
    old = table.id
    if old.identity and old.type == "bigint":
        return schema
    new = replace(old, type=dice.one(_KEY_TYPES[old.type]))
    if old.type == "serial":
        new = replace(new, type="bigserial")
    schema = schema.having(table.having(new))
    for other in schema.tables:
        for reference in other.references:
            if reference.table == table.name:
                type_ = new.type.replace("bigserial", "bigint")
                other = other.having(replace(other.column(reference.column), type=type_))
        schema = schema.having(other)
    return schema


def _nullable(dice: Dice, schema: Schema) -> Schema:
    table = one_table(dice, schema)
    column = _column(dice, table)
    if column is None:
        return schema
    default = column.default
    # Without one autogenerate refuses, where rows hold NULL; and several of them cannot get the same.
    if column.nullable and not default and column.name not in table.unique and dice.chance(0.7):
        default = schemas.random_default(dice, schema, column.type)
    return schema.having(table.having(replace(column, nullable=not column.nullable, default=default)))


def _default(dice: Dice, schema: Schema) -> Schema:
    table = one_table(dice, schema)
    column = _column(dice, table)
    if column is None:
        return schema
    other = "" if column.default and dice.chance(0.4) else schemas.random_default(dice, schema, column.type)
    return schema.having(table.having(replace(column, default=other)))


def _generate(dice: Dice, schema: Schema) -> Schema:
    return schema.having(schemas.generate(dice, one_table(dice, schema)))


def _drop_generated(dice: Dice, schema: Schema) -> Schema:
    table = one_table(dice, schema)
    made = [column.name for column in table.columns if column.generated]
    return tidied(schema.having(less_column(table, dice.one(made)))) if made else schema


def less_column(table: Table, name: str) -> Table:
    """Without the column and what names it."""
    gone = {name, *(column.name for column in table.columns if name in column.reads)}
    return replace(
        table,
        columns=tuple(column for column in table.columns if column.name not in gone),
        rules=tuple(each for each in table.rules if not gone & {*each.columns}),
        indexes=tuple(each for each in table.indexes if not gone & {*each.columns}),
        references=tuple(each for each in table.references if each.column not in gone),
    )


def _fitting(table: Table, column: Column) -> Table:
    """Without what the column's new type does not take."""
    takes = ALL.get(column.type)
    checks, expressions = (takes.checks, takes.indexes) if takes else ((), ())
    readers = {each.name for each in table.columns if column.name in each.reads}
    if readers and column.type not in ("bigint", "text", "varchar(20)", "varchar(40)", "varchar(80)"):
        for reader in readers:
            table = less_column(table, reader)
    return replace(
        table,
        rules=tuple(
            each for each in table.rules if column.name not in each.columns or not each.check or each.check in checks
        ),
        indexes=tuple(
            each
            for each in table.indexes
            if column.name not in each.columns
            or (each.expression in expressions if each.expression else is_ordered(column.type))
        ),
    )


def tidied(schema: Schema) -> Schema:
    """Views and others without what is gone."""
    return replace(schema, attached=tuple(_attached(schema)))


def _attached(schema: Schema) -> Iterator[Attached]:
    tables = {table.name: table for table in schema.tables}
    for each in schema.attached:
        columns = tuple(name for name in each.columns if each.table in tables and name in tables[each.table].names)
        if columns:
            yield replace(each, columns=columns)


CHANGES: Mapping[str, Callable[[Dice, Schema], Schema]] = {
    "add column": _add_column,
    "drop column": _drop_column,
    "rename column": _rename_column,
    "type": _type,
    "key type": _key_type,
    "nullable": _nullable,
    "default": _default,
    "generate": _generate,
    "drop generated": _drop_generated,
}
