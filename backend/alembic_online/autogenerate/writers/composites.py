"""Composite types, and their attributes."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.statements import StatementWriter
from alembic_online.autogenerate.writers.types import Passage, TypeWriter, type_name
from alembic_online.autogenerate.writers.writer import comment
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Kind

_HOLDERS = frozenset({Kind.COLUMN, Kind.DOMAIN, Kind.RANGE})


class CompositeWriter(TypeWriter):
    def statement(self, entry: CatalogueObject, context: Context) -> str:
        # Where another takes its place, the values come over as text: what they had comes first.
        there = [child.name for child in context.old.children(entry.identity)]
        children = context.new.children(entry.identity)
        children.sort(key=lambda child: there.index(child.name) if child.name in there else len(there))
        attributes = (f"{quoted(child.name)} {_type(child)}" for child in children)
        return f"CREATE TYPE {type_name(entry)} AS ({', '.join(attributes)})"

    def finish(self, entry: CatalogueObject, context: Context) -> Iterator[MigrateOperation]:
        for child in context.new.children(entry.identity):
            yield from comment(_target(child), child)

    def passage(self, change: Change, context: Context) -> Passage | None:
        """An attribute gets another type while columns hold values: PostgreSQL (18) refuses that of any."""
        old, new = context.old, context.new.catalogue
        both = (child for child in old.children(change.identity) if child.identity in new)
        retyped = any(_type(child) != _type(new[child.identity]) for child in both)
        held = any(user.kind in _HOLDERS for user in old.needed_by.get(change.identity, ()))
        return Passage() if retyped and held else None

    def prepare(self, change: Change, context: Context) -> Iterator[MigrateOperation]:
        before, after = (schema.children(change.identity) for schema in (context.old, context.new))
        for child in before:
            if child.identity not in context.new.catalogue:
                yield from AttributeWriter().drop(child, context)
        for child in after:
            if child.identity not in context.old.catalogue:
                yield sql(AttributeWriter().statement(child, context))


class AttributeWriter(StatementWriter):
    """An attribute of a composite type; a catalogue calls it a column."""

    def target(self, entry: CatalogueObject) -> str:
        return _target(entry)

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        return f"{_alter(entry)} ADD ATTRIBUTE {quoted(entry.name)} {_type(entry)}{_cascade(entry, context)}"

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return [sql(f"{_alter(entry)} DROP ATTRIBUTE {quoted(entry.name)}{_cascade(entry, context)}")]

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        attribute = f"ALTER ATTRIBUTE {quoted(change.after.name)} TYPE {_type(change.after)}"
        return [sql(f"{_alter(change.after)} {attribute}")]


def _type(entry: CatalogueObject) -> str:
    collation = f" COLLATE {entry.attributes[Attribute.COLLATION]}" if entry.has(Attribute.COLLATION) else ""
    return f"{entry.attributes[Attribute.TYPE]}{collation}"


def _cascade(attribute: CatalogueObject, context: Context) -> str:
    """The tables that are made of the type get the attribute as a column, and lose it."""
    assert attribute.parent is not None, "its type"
    users = (context.old.catalogue[user] for user in context.old.needed_by.get(attribute.parent, ()))
    return " CASCADE" if any(user.has(Attribute.OF_TYPE) for user in users) else ""


def _alter(entry: CatalogueObject) -> str:
    return f"ALTER TYPE {quoted(entry.schema, entry.identity.table)}"


def _target(entry: CatalogueObject) -> str:
    return f"COLUMN {quoted(entry.schema, entry.identity.table, entry.name)}"
