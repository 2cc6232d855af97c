"""Enum types: labels are added where they are; to take one away, or to change their order, needs another type."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context
from alembic_online.autogenerate.op_rendering import Comment, sql
from alembic_online.autogenerate.writers.label_moves import moves
from alembic_online.autogenerate.writers.types import Passage, TypeWriter, type_name
from alembic_online.autogenerate.writers.writer import literal
from alembic_online.postgres.catalogue import Attribute, CatalogueObject


class EnumWriter(TypeWriter):
    def statement(self, entry: CatalogueObject, context: Context) -> str:
        return f"CREATE TYPE {type_name(entry)} AS ENUM ({', '.join(map(literal, labels(entry)))})"

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        return [*_kept(change, context), *_added(change)]

    def passage(self, change: Change, context: Context) -> Passage | None:
        before, after = labels(change.before), labels(change.after)
        return None if tuple(label for label in after if label in before) == before else Passage()

    def prepare(self, change: Change, context: Context) -> Iterator[MigrateOperation]:
        merged = context.merged.get(change.after.identity, {})
        ways = moves(labels(change.before), labels(change.after), merged)
        for old, new in ways.items():
            yield Comment(f"Rows that hold {literal(old)} of {change.after.name} become {literal(new)}.")
        yield from _kept(change, context)
        gone = [label for label in labels(change.before) if label not in {*labels(change.after), *ways}]
        if gone:
            held = " or ".join(map(literal, gone))
            yield Comment(f"Fails where a row holds {held} of {change.after.name}: change those rows first.")
            if context.models is not None:  # SQLAlchemy (2.0, 2.1) drops an `info` of the Enum itself without a word
                hint = f"info={{'renamed_from': {{'...': {gone}}}}}"
                yield Comment(f"Or let the models say on the column, not on the Enum, what they become: {hint}")


def labels(entry: CatalogueObject) -> tuple[str, ...]:
    """In their order."""
    return entry.items(Attribute.LABELS)


def _kept(change: Change, context: Context) -> Iterator[MigrateOperation]:
    """On the way back: which rows held one of the labels that come again, nobody knows any more."""
    ways = context.merged.get(change.after.identity, {})
    for label in labels(change.after):
        if label in ways and label not in labels(change.before):
            yield Comment(
                f"Which rows held {literal(label)} is not known any more: they became {literal(ways[label])}."
            )


def _added(change: Change) -> Iterator[MigrateOperation]:
    """A label that is added cannot be used in the same transaction: a migration adds it outside of its own."""
    there, after = list(labels(change.before)), labels(change.after)
    for place, label in enumerate(after):
        if label in there:
            continue
        where = ""
        if place < len(there):
            where = f" AFTER {literal(after[place - 1])}" if place else f" BEFORE {literal(there[0])}"
        there.insert(place, label)
        yield sql(f"ALTER TYPE {type_name(change.after)} ADD VALUE {literal(label)}{where}")
