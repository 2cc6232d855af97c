"""Composite types, and their attributes."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from src.postgres.catalogue import CatalogueObject, Kind
from src.safety.autogenerate.call import sql
from src.safety.autogenerate.cannot_write import CannotWrite
from src.safety.autogenerate.context import Change, Context, quoted
from src.safety.autogenerate.writers.statements import StatementWriter
from src.safety.autogenerate.writers.types import TypeWriter, type_name
from src.safety.autogenerate.writers.writer import comment


class CompositeWriter(TypeWriter):
    def statement(self, entry: CatalogueObject, context: Context) -> str:
        attributes = (f"{quoted(child.name)} {_type(child)}" for child in context.new.children(entry.identity))
        return f"CREATE TYPE {type_name(entry)} AS ({', '.join(attributes)})"

    def finish(self, entry: CatalogueObject, context: Context) -> Iterator[MigrateOperation]:
        for child in context.new.children(entry.identity):
            yield from comment(_target(child), child)


class AttributeWriter(StatementWriter):
    """An attribute of a composite type; a catalogue calls it a column."""

    def target(self, entry: CatalogueObject) -> str:
        return _target(entry)

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        return f"{_alter(entry)} ADD ATTRIBUTE {quoted(entry.name)} {_type(entry)}"

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return [sql(f"{_alter(entry)} DROP ATTRIBUTE {quoted(entry.name)}")]

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        assert change.after.parent is not None, "an attribute has a type"
        for user in sorted(context.old.needed_by.get(change.after.parent, ())):
            if user.kind is Kind.COLUMN:
                raise CannotWrite(change.identity, f"{user.table}.{user.name} holds values of the type")
        attribute = f"ALTER ATTRIBUTE {quoted(change.after.name)} TYPE {_type(change.after)}"
        return [sql(f"{_alter(change.after)} {attribute}")]


def _type(entry: CatalogueObject) -> str:
    collation = f" COLLATE {entry.attributes['collation']}" if "collation" in entry.attributes else ""
    return f"{entry.attributes['type']}{collation}"


def _alter(entry: CatalogueObject) -> str:
    return f"ALTER TYPE {quoted(entry.schema, entry.identity.table)}"


def _target(entry: CatalogueObject) -> str:
    return f"COLUMN {quoted(entry.schema, entry.identity.table, entry.name)}"
