"""A column that cannot be added with its default or its identity at once: it is added bare, and gets them then.

PostgreSQL (16 to 18) refuses both where a column of another table holds rows of this one (tablecmds.c,
find_composite_type_dependencies), and an identity where the table has children, but for that of a partitioned table
from 17 on.
"""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.cannot_write import CannotWrite
from alembic_online.autogenerate.context import Change, Context, Schema, quoted
from alembic_online.autogenerate.existing_rows import numbers, stand_in
from alembic_online.autogenerate.inheritance import has_children
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.sequence_options import option
from alembic_online.autogenerate.writers.column_changes import altered
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind

_GIVEN = frozenset({Attribute.DEFAULT, Attribute.NOT_NULL})


def needs_steps(entry: CatalogueObject, context: Context) -> bool:
    """Whether one statement cannot add this column.

    Raises:
        CannotWrite: nor can several.
    """
    assert entry.parent is not None, "a column has a parent"
    holder = _holder_of_rows(entry.parent, context.old)
    if holder is not None and entry.text(Attribute.GENERATED).endswith("STORED"):
        held = f"column {holder.table}.{holder.name} holds rows of {entry.parent.name}"
        raise CannotWrite(entry.identity, f"{held}, and then PostgreSQL adds no stored generated column")
    identity = entry.has(Attribute.IDENTITY)
    if identity and has_children(entry.parent, context.new):
        return context.new.version < 17 or not context.new.catalogue[entry.parent].has(Attribute.PARTITIONED_BY)
    return holder is not None and (identity or not _GIVEN.isdisjoint(entry.attributes))


def bare(entry: CatalogueObject) -> CatalogueObject:
    """The column without what it gets in the steps after it."""
    return entry.filtered(lambda name: name not in _GIVEN and not name.startswith(Attribute.IDENTITY))


def in_steps(entry: CatalogueObject, added: MigrateOperation, context: Context) -> Iterator[MigrateOperation]:
    """The lines, of which `added` is the first: it adds the column bare."""
    defaulting = entry.filtered(lambda name: name is not Attribute.NOT_NULL and not name.startswith(Attribute.IDENTITY))
    filled = stand_in(entry, context)
    yield added
    yield from altered(Change(bare(entry), defaulting), context) or []
    table, column = quoted(entry.schema, entry.identity.table), quoted(entry.name)
    if entry.has(Attribute.IDENTITY):
        first, step = (option(entry, name) for name in (Attribute.START, Attribute.INCREMENT))
        yield sql(numbers(table, column, f"{first} + {step} * (numbered.n - 1)"))
    elif entry.has(Attribute.DEFAULT) and not entry.has(Attribute.NOT_NULL):
        yield sql(f"UPDATE {table} SET {column} = {entry.attributes[Attribute.DEFAULT]} WHERE {column} IS NULL")
    elif filled.update:
        yield sql(filled.update)
    yield from altered(Change(defaulting, entry), context) or []


def _holder_of_rows(table: Identity, schema: Schema) -> Identity | None:
    """A column of another table that holds rows of this one, by itself or within another type."""
    seen, waiting = {table}, [table]
    while waiting:
        for user in schema.needed_by.get(waiting.pop(), ()):
            above = schema.catalogue[user].parent if user.kind is Kind.COLUMN else None
            if above == table:
                continue  # the key of a partitioned table needs it
            if user.kind is Kind.COLUMN and above is not None and above.kind is Kind.TABLE:
                return user
            made = above if above is not None and above.kind is Kind.COMPOSITE else user
            if made.kind in (Kind.COMPOSITE, Kind.DOMAIN, Kind.RANGE) and made not in seen:
                seen.add(made)
                waiting.append(made)
    return None
