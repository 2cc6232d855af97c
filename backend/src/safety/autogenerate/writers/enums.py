"""Enum types: labels are added where they are; to take one away, or to change their order, needs another type."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from src.postgres.catalogue import CatalogueObject, Identity
from src.safety.autogenerate.call import Comment, sql
from src.safety.autogenerate.context import Change, Context
from src.safety.autogenerate.writers.types import Passage, TypeWriter, in_the_way, replaced, type_name
from src.safety.autogenerate.writers.writer import literal


class EnumWriter(TypeWriter):
    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        labels = ", ".join(map(literal, _labels(entry)))
        return [sql(f"CREATE TYPE {type_name(entry)} AS ENUM ({labels})"), *self.ends(entry)]

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        if "labels" not in change.attributes:
            return super().alter(change, context)
        if _only_added(change):
            return [*_added(change), *self.altered_ends(change)]
        gone = [label for label in _labels(change.before) if label not in _labels(change.after)]
        lines: list[MigrateOperation] = []
        if gone:
            held = " or ".join(map(literal, gone))
            lines.append(Comment(f"Fails where a row holds {held} of {change.after.name}: change those rows first."))
        return [*lines, *replaced(change, context, self.create(change.after, context), Passage())]

    def disturbed(self, change: Change, context: Context) -> Iterator[Identity]:
        if "labels" in change.attributes and not _only_added(change):
            yield from in_the_way(change, context)


def _labels(entry: CatalogueObject) -> tuple[str, ...]:
    labels = entry.attributes.get("labels", ())
    assert isinstance(labels, tuple), "a list in every catalogue"
    return labels


def _only_added(change: Change) -> bool:
    before, after = _labels(change.before), _labels(change.after)
    return tuple(label for label in after if label in before) == before


def _added(change: Change) -> Iterator[MigrateOperation]:
    before, after = _labels(change.before), _labels(change.after)
    there = list(before)
    for place, label in enumerate(after):
        if label in before:
            continue
        where = f" AFTER {literal(after[place - 1])}" if place else ""
        if not place and there:
            where = f" BEFORE {literal(there[0])}"
        if there and place and after[place - 1] == there[-1]:
            where = ""
        there.insert(place, label)
        yield sql(f"ALTER TYPE {type_name(change.after)} ADD VALUE {literal(label)}{where}")
