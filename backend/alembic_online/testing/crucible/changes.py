"""Random changes of a schema: each is a kind and a seed, so that a list of them can be shortened and made again.

A change that finds nothing to change changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from alembic_online.testing.crucible import column_changes, table_changes
from alembic_online.testing.crucible.dice import Dice
from alembic_online.testing.crucible.schema import Enum, Schema, without
from alembic_online.testing.crucible.schemas import attach

Apply = Callable[[Dice, Schema], Schema]


@dataclass(frozen=True)
class Change:
    """`kind` is one of `CHANGES`."""

    kind: str
    seed: str

    def apply(self, schema: Schema) -> Schema:
        """The schema with the change; all hints of earlier ones are gone."""
        return CHANGES[self.kind](Dice(self.seed), schema)


def random_changes(seed: str, schema: Schema) -> tuple[Change, ...]:
    """One, mostly; else two or three. Each of them changes something."""
    dice = Dice(f"changes {seed}")
    wanted = dice.number(1, 3)
    found: list[Change] = []
    for number in range(40):
        change = Change(dice.one(_WEIGHTED, lambda pair: pair)[0], f"{seed} {number}")
        changed = change.apply(schema)
        if changed != schema:
            found.append(change)
            schema = changed
        if len(found) == wanted:
            break
    return tuple(found)


def after(schema: Schema, changes: tuple[Change, ...]) -> Schema:
    """The schema with all of them."""
    for change in changes:
        schema = change.apply(schema)
    return schema


def _add_label(dice: Dice, schema: Schema) -> Schema:
    def more(enum: Enum) -> Enum:
        label = dice.one(label for label in ("extra", "Last", "first") if label not in enum.labels)
        place = dice.number(0, len(enum.labels))
        return replace(enum, labels=(*enum.labels[:place], label, *enum.labels[place:]))

    return _of_an_enum(dice, schema, lambda enum: more(enum) if len(enum.labels) < 6 else enum)


def _remove_label(dice: Dice, schema: Schema) -> Schema:
    """One that rows may hold: then the upgrade is to fail."""

    def less(enum: Enum) -> Enum:
        gone = dice.one(enum.labels)
        return enum if _is_default(schema, enum, gone) else replace(enum, labels=tuple(_less(enum, gone)))

    return _of_an_enum(dice, schema, lambda enum: less(enum) if len(enum.labels) > 1 else enum)


def _merge_labels(dice: Dice, schema: Schema) -> Schema:
    """One becomes another; rows are moved, by a hint."""

    def merged(enum: Enum) -> Enum:
        old, new = dice.some(enum.labels, 2)
        if _is_default(schema, enum, old):
            return enum
        return replace(enum, labels=tuple(_less(enum, old)), merged=((new, old),))

    return _of_an_enum(
        dice, schema, lambda enum: merged(enum) if len(enum.labels) > 2 and not (enum.merged or enum.renamed) else enum
    )


def _rename_label(dice: Dice, schema: Schema) -> Schema:
    def renamed(enum: Enum) -> Enum:
        old, new = dice.one(enum.labels), "called otherwise"
        if new in enum.labels or _is_default(schema, enum, old):
            return enum
        labels = tuple(new if each == old else each for each in enum.labels)
        return replace(enum, labels=labels, renamed=((new, old),))

    return _of_an_enum(dice, schema, lambda enum: enum if enum.merged or enum.renamed else renamed(enum))


def _less(enum: Enum, gone: str) -> list[str]:
    return [label for label in enum.labels if label != gone]


def _is_default(schema: Schema, enum: Enum, label: str) -> bool:
    literal = "'" + label.replace("'", "''") + "'"
    return any(each.type == enum.name and each.default == literal for table in schema.tables for each in table.columns)


def _of_an_enum(dice: Dice, schema: Schema, change: Callable[[Enum], Enum]) -> Schema:
    used = {column.type for table in schema.tables for column in table.columns}
    enums = [enum for enum in schema.enums if enum.name in used]
    if not enums:
        return schema
    chosen = dice.one(enums, lambda enum: enum.name)
    changed = change(chosen)
    return replace(schema, enums=tuple(changed if each is chosen else each for each in schema.enums))


def _detach(dice: Dice, schema: Schema) -> Schema:
    if not schema.attached:
        return schema
    gone = dice.one(schema.attached, lambda each: each.name)
    return replace(schema, attached=without(schema.attached, gone.name))


def _other_view(dice: Dice, schema: Schema) -> Schema:
    views = [each for each in schema.attached if each.kind.endswith("view")]
    if not views:
        return schema
    view = dice.one(views, lambda each: each.name)
    names = schema.table(view.table).names
    other = replace(view, columns=tuple(dice.some(names, dice.number(1, 4))))
    return replace(schema, attached=tuple(other if each is view else each for each in schema.attached))


CHANGES: Mapping[str, Apply] = {
    **column_changes.CHANGES,
    **table_changes.CHANGES,
    "add label": _add_label,
    "remove label": _remove_label,
    "merge labels": _merge_labels,
    "rename label": _rename_label,
    "attach": attach,
    "detach": _detach,
    "other view": _other_view,
}
_WEIGHTS = {"type": 8, "key type": 4, "nullable": 3, "add column": 3, "default": 2, "remove label": 2, "rule": 2}
_WEIGHTED = [(kind, number) for kind in CHANGES for number in range(_WEIGHTS.get(kind, 1))]
