"""A column that cannot be added with its default or its identity at once: it is added bare, and gets them then.

PostgreSQL (16 to 18) refuses both where a column of another table holds rows of this one (tablecmds.c,
find_composite_type_dependencies), and an identity where the table has children, but for that of a partitioned table
from 17 on.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.cannot_write import CannotWrite
from alembic_online.autogenerate.context import Change, Context, Schema, quoted
from alembic_online.autogenerate.existing_rows import numbers, stand_in
from alembic_online.autogenerate.inheritance import has_children
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.sequence_options import option
from alembic_online.autogenerate.writers.column_changes import altered
from alembic_online.postgres.catalogue import CatalogueObject, Identity, Kind

_GIVEN = frozenset({"default", "not null"})


def needs_steps(entry: CatalogueObject, context: Context) -> bool:
    """Whether one statement cannot add this column.

    Raises:
        CannotWrite: nor can several.
    """
    assert entry.parent is not None, "a column has a parent"
    holder = _holder_of_rows(entry.parent, context.old)
    if holder is not None and str(entry.attributes.get("generated", "")).endswith("STORED"):
        held = f"column {holder.table}.{holder.name} holds rows of {entry.parent.name}"
        raise CannotWrite(entry.identity, f"{held}, and then PostgreSQL adds no stored generated column")
    identity = "identity" in entry.attributes
    if identity and has_children(entry.parent, context.new):
        return context.new.version < 17 or "partitioned by" not in context.new.catalogue[entry.parent].attributes
    return holder is not None and (identity or not _GIVEN.isdisjoint(entry.attributes))


def bare(entry: CatalogueObject) -> CatalogueObject:
    """The column without what it gets in the steps after it."""
    return _with(entry, lambda name: name not in _GIVEN and not name.startswith("identity"))


def in_steps(entry: CatalogueObject, added: MigrateOperation, context: Context) -> Iterator[MigrateOperation]:
    """The lines, of which `added` is the first: it adds the column bare."""
    defaulting = _with(entry, lambda name: name != "not null" and not name.startswith("identity"))
    filled = stand_in(entry, context)
    yield added
    yield from altered(Change(bare(entry), defaulting), context) or []
    table, column = quoted(entry.schema, entry.identity.table), quoted(entry.name)
    if "identity" in entry.attributes:
        first, step = (option(entry, name, "identity ") for name in ("start", "increment"))
        yield sql(numbers(table, column, f"{first} + {step} * (numbered.n - 1)"))
    elif "default" in entry.attributes and "not null" not in entry.attributes:
        yield sql(f"UPDATE {table} SET {column} = {entry.attributes['default']} WHERE {column} IS NULL")
    elif filled.update:
        yield sql(filled.update)
    yield from altered(Change(defaulting, entry), context) or []


def _with(entry: CatalogueObject, keep: Callable[[str], bool]) -> CatalogueObject:
    return replace(entry, attributes={name: said for name, said in entry.attributes.items() if keep(name)})


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
