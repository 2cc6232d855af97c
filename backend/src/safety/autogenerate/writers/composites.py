"""Composite types, and their attributes."""

from alembic.operations import MigrateOperation

from src.postgres.catalogue import CatalogueObject, Kind
from src.safety.autogenerate.call import sql
from src.safety.autogenerate.cannot_write import CannotWrite
from src.safety.autogenerate.context import Change, Context, quoted
from src.safety.autogenerate.writers.types import TypeWriter, type_name
from src.safety.autogenerate.writers.writer import Writer, comment, comment_on


class CompositeWriter(TypeWriter):
    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        attributes = context.new.children(entry.identity, Kind.COLUMN)
        line = sql(f"CREATE TYPE {type_name(entry)} AS ({', '.join(map(_attribute, attributes))})")
        remarks = [remark for child in attributes for remark in comment(_target(child), child)]
        return [line, *self.ends(entry), *remarks]


class AttributeWriter(Writer):
    """An attribute of a composite type; a catalogue calls it a column."""

    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return [sql(f"{_alter(entry)} ADD ATTRIBUTE {_attribute(entry)}"), *comment(_target(entry), entry)]

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return [sql(f"{_alter(entry)} DROP ATTRIBUTE {quoted(entry.name)}")]

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        lines: list[MigrateOperation] = []
        if {"type", "collation"} & change.attributes:
            _check_unused(change, context)
            name, _, type_ = _attribute(change.after).partition(f"{quoted(change.after.name)} ")
            lines.append(sql(f"{_alter(change.after)} ALTER ATTRIBUTE {quoted(change.after.name)} TYPE {name}{type_}"))
        if "comment" in change.attributes:
            lines.append(comment_on(_target(change.after), change.after))
        return lines


def _check_unused(change: Change, context: Context) -> None:
    """PostgreSQL converts no values inside of rows."""
    assert change.after.parent is not None, "an attribute has a type"
    for user in sorted(context.old.needed_by.get(change.after.parent, ())):
        if user.kind is Kind.COLUMN and context.old.catalogue[user].parent != change.after.parent:
            raise CannotWrite(change.identity, f"{user.table}.{user.name} holds values of the type")


def _attribute(entry: CatalogueObject) -> str:
    collation = f" COLLATE {entry.attributes['collation']}" if "collation" in entry.attributes else ""
    return f"{quoted(entry.name)} {entry.attributes['type']}{collation}"


def _alter(entry: CatalogueObject) -> str:
    return f"ALTER TYPE {quoted(entry.schema, entry.identity.table)}"


def _target(entry: CatalogueObject) -> str:
    return f"COLUMN {quoted(entry.schema, entry.identity.table, entry.name)}"
