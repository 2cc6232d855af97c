"""Columns of tables: how they come and go. `column_changes.py` has how they change."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.column_types import written_type
from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.existing_rows import stand_in
from alembic_online.autogenerate.op_rendering import Call, Code, Comment, code, sql
from alembic_online.autogenerate.server_default import NONE, computed, server_default
from alembic_online.autogenerate.writers.added_in_steps import bare, in_steps, needs_steps
from alembic_online.autogenerate.writers.column_changes import altered, disturbed, not_null
from alembic_online.autogenerate.writers.column_settings import settings
from alembic_online.autogenerate.writers.identities import swapped_sequence
from alembic_online.autogenerate.writers.privileges import grants
from alembic_online.autogenerate.writers.sequences import owned_by
from alembic_online.autogenerate.writers.writer import Writer
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind

_WHOLE = ("smallint", "integer", "bigint")


def column(
    entry: CatalogueObject, context: Context, *, default: Code | str | None = None, nullable: bool = False
) -> Code:
    """`sa.Column(...)`; `default` is for the rows that exist alone, `nullable` until they have a value."""
    stated = entry.attributes
    serial = is_serial(entry, context)
    return code(
        "sa.Column",
        entry.name,
        written_type(entry, context),
        *filter(None, [computed(entry)]),
        server_default=None if serial else server_default(entry) if default is None else default,
        autoincrement=serial or (False if _would_be_serial(entry, context) else None),
        nullable=nullable or Attribute.NOT_NULL not in stated or _is_constraint(entry),
        comment=stated.get(Attribute.COMMENT),
    )


def column_extras(entry: CatalogueObject, context: Context) -> Iterator[MigrateOperation]:
    """The lines after those that make the column: what `sa.Column` has no word for."""
    if _is_constraint(entry):
        yield not_null(entry)
    yield from settings(entry)
    yield from grants(f"TABLE {quoted(entry.schema, entry.identity.table)}", entry, f" ({quoted(entry.name)})")
    if not is_serial(entry, context):
        for sequence in context.new.children(entry.identity, Kind.SEQUENCE):
            if sequence.identity not in context.old.catalogue:
                yield owned_by(sequence)


def is_serial(entry: CatalogueObject, context: Context) -> bool:
    """Whether `create_table` makes it SERIAL, with exactly its sequence and default."""
    sequences = context.new.children(entry.identity, Kind.SEQUENCE)
    if len(sequences) != 1 or not _made_with_its_table(entry, context) or not _in_primary_key(entry, context):
        return False
    found, type_ = sequences[0], entry.attributes[Attribute.TYPE]
    plain = {name for name in found.compared if name != Attribute.OWNED_BY} == {Attribute.TYPE} and found.attributes[
        Attribute.TYPE
    ] == type_
    named = found.name == f"{entry.identity.table}_{entry.name}_seq" and type_ in _WHOLE
    default = entry.text(Attribute.DEFAULT)
    return plain and named and default == f"nextval('{quoted(found.schema, found.name)}'::regclass)"


def _would_be_serial(entry: CatalogueObject, context: Context) -> bool:
    """Whether SQLAlchemy would take it for SERIAL, unless told otherwise."""
    numbered = {Attribute.DEFAULT, Attribute.IDENTITY, Attribute.GENERATED} & entry.attributes.keys()
    return entry.attributes[Attribute.TYPE] in _WHOLE and not numbered and _in_primary_key(entry, context)


def _in_primary_key(entry: CatalogueObject, context: Context) -> bool:
    assert entry.parent is not None, "a column has a parent"
    for constraint in context.new.children(entry.parent, Kind.CONSTRAINT):
        if constraint.attributes[Attribute.TYPE] == "primary key":
            columns = constraint.text(Attribute.DEFINITION).partition("(")[2].partition(")")[0]
            return quoted(entry.name) in columns.split(", ")
    return False


def _made_with_its_table(entry: CatalogueObject, context: Context) -> bool:
    return entry.parent not in context.old.catalogue


def _is_constraint(entry: CatalogueObject) -> bool:
    return bool({Attribute.NOT_NULL_NOT_VALID, Attribute.NOT_NULL_NOT_INHERITED} & entry.attributes.keys())


class ColumnWriter(Writer):
    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return [*_added(entry, context), *column_extras(entry, context)]

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        _, schema, table, name = entry.identity
        lines: list[MigrateOperation] = []
        if entry.identity in context.new.catalogue and not entry.has(Attribute.GENERATED):
            lines.append(Comment(f"What {name} holds is lost: it is computed from now on."))
        return [*lines, Call("drop_column", table, name, schema=context.schema_option(schema))]

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        return altered(change, context)

    def covers(self, parent: CatalogueObject, child: CatalogueObject, context: Context) -> bool:
        return child.kind is Kind.SEQUENCE and is_serial(parent, context)

    def disturbs(self, change: Change) -> frozenset[str]:
        return disturbed(change)

    def takes(self, change: Change, context: Context) -> frozenset[Identity]:
        sequence = swapped_sequence(change, context)
        return frozenset() if sequence is None else frozenset({sequence.identity})


def _added(entry: CatalogueObject, context: Context) -> Iterator[MigrateOperation]:
    """`op.add_column`, with what the rows that exist get."""
    _, schema, table, name = entry.identity
    option = context.schema_option(schema)
    if needs_steps(entry, context):
        yield from in_steps(entry, Call("add_column", table, column(bare(entry), context), schema=option), context)
        return
    filled = stand_in(entry, context)
    if filled.remark:
        yield Comment(filled.remark)
    if filled.update is None:
        yield Call("add_column", table, column(entry, context, default=filled.default), schema=option)
        if filled.default is not None:
            yield Call("alter_column", table, name, server_default=NONE, schema=option)
        return
    yield Call("add_column", table, column(entry, context, nullable=True), schema=option)
    yield sql(filled.update)
    if entry.has(Attribute.NOT_NULL):
        yield Call("alter_column", table, name, nullable=False, schema=option)
