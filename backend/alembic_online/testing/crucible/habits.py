"""A person's habits: what stands between the lines that autogenerate wrote, and around them.

Each is a kind and a seed, so that a list of them can be shortened. What plain Alembic cannot carry out is no example.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent

from alembic_online.testing.crucible.data_steps import Target, rows, steps, targets
from alembic_online.testing.crucible.dice import Dice
from alembic_online.testing.crucible.pairs import Pair, pairs, recreated
from alembic_online.testing.crucible.schema import Schema

Lines = list[str]


@dataclass(frozen=True)
class Scene:
    """The models before and after, and whether the revision is on its way up."""

    before: Schema
    after: Schema
    is_upgrade: bool

    @property
    def targets(self) -> Sequence[Target]:
        """The tables whose rows may be written by any line, with the columns that do not change."""
        return targets(self.before, self.after)


@dataclass(frozen=True)
class Habit:
    """`kind` is one of `HABITS`."""

    kind: str
    seed: str

    @property
    def changes_values(self) -> bool:
        """Whether rows are others afterwards: then it is for the way up, and what clients wrote may be lost."""
        return self.kind in _OF_VALUES

    def apply(self, lines: Lines, scene: Scene) -> Lines:
        """The lines of a function with the habit; as they are where it finds nothing."""
        if self.changes_values and not scene.is_upgrade:
            return lines
        return HABITS[self.kind](Dice(f"{self.seed} {scene.is_upgrade}"), lines, scene)


def random_habits(seed: str) -> tuple[Habit, ...]:
    """None in half of all examples, else up to three."""
    dice = Dice(f"habits {seed}")
    if dice.chance(0.5):
        return ()
    return tuple(
        Habit(dice.one(_WEIGHTED, lambda pair: pair)[0], f"{seed} {number}") for number in range(dice.number(1, 3))
    )


def _rows(dice: Dice, lines: Lines, scene: Scene) -> Lines:
    """Rows are written, and are what they were."""
    return _between(dice, lines, rows(dice, scene.targets))


def _values(dice: Dice, lines: Lines, scene: Scene) -> Lines:
    return _between(dice, lines, steps(dice, scene.after, scene.targets))


def _around_rows(dice: Dice, lines: Lines, scene: Scene) -> Lines:
    """Something is taken away, rows are written, and it is made again."""
    return _around(dice, lines, _pairs(dice, scene), rows(dice, scene.targets))


def _around_values(dice: Dice, lines: Lines, scene: Scene) -> Lines:
    return _around(dice, lines, _pairs(dice, scene), steps(dice, scene.after, scene.targets))


def _around_nothing(dice: Dice, lines: Lines, scene: Scene) -> Lines:
    """The lines of the revision come between, or nothing."""
    return _around(dice, lines, _pairs(dice, scene), [])


def _recreate_column(dice: Dice, lines: Lines, scene: Scene) -> Lines:
    """With its values gone."""
    return _around(dice, lines, recreated(scene.before, scene.after), steps(dice, scene.after, scene.targets))


def _nested(dice: Dice, lines: Lines, _: Scene) -> Lines:
    return _wrapped(dice, lines, lambda some: [_block("with op.get_bind().begin_nested():", some)])


def _savepoint(dice: Dice, lines: Lines, _: Scene) -> Lines:
    begins, ends = "op.execute('SAVEPOINT before_it')", "op.execute('RELEASE SAVEPOINT before_it')"
    return _wrapped(dice, lines, lambda some: [begins, *some, ends])


def _given_up(dice: Dice, lines: Lines, scene: Scene) -> Lines:
    """A savepoint that is gone back to, with nothing lost by that."""
    tried = steps(dice, scene.after, scene.targets)
    if not tried:
        return lines
    given_up = ["nested = op.get_bind().begin_nested()", *tried, "nested.rollback()"]
    return _between(dice, lines, ["\n".join(given_up)])


def _asked(dice: Dice, lines: Lines, _: Scene) -> Lines:
    """A line is carried out if the database says so."""
    asked = "if op.get_bind().execute(sa.text('SELECT count(*) FROM pg_class')).scalar():"
    return _wrapped(dice, lines, lambda some: [_block(asked, some)])


def _inspected(dice: Dice, lines: Lines, scene: Scene) -> Lines:
    if not scene.targets:
        return lines
    name = dice.one(scene.targets, lambda each: each.table.name).table.name
    return _between(dice, lines, [f"sa.inspect(op.get_bind()).get_columns({name!r})"])


def _pairs(dice: Dice, scene: Scene) -> Sequence[Pair]:
    """Mostly those of a table that the revision changes."""
    near = pairs(scene.before, scene.after, changed=True)
    return near if near and dice.chance(0.6) else pairs(scene.before, scene.after, changed=False)


def _between(dice: Dice, lines: Lines, more: Sequence[str]) -> Lines:
    place = dice.number(0, len(lines))
    return [*lines[:place], *more, *lines[place:]]


def _around(dice: Dice, lines: Lines, known: Sequence[Pair], between: Sequence[str]) -> Lines:
    if not known:
        return lines
    pair = dice.one(known)
    first, second, third = sorted(dice.number(0, len(lines)) for _ in range(3))
    if dice.chance(0.5):  # nothing of the revision's own between them
        second = third = first
    return [*lines[:first], pair.away, *lines[first:second], *between, *lines[second:third], pair.back, *lines[third:]]


def _wrapped(dice: Dice, lines: Lines, wrap: Callable[[Lines], Lines]) -> Lines:
    first = dice.number(0, len(lines) - 1)
    last = min(first + dice.number(1, 2), len(lines))
    return [*lines[:first], *wrap(lines[first:last]), *lines[last:]]


def _block(head: str, lines: Lines) -> str:
    """One line of the function, between whose parts no other habit comes."""
    return "\n".join([head, *(indent(line, "    ") for line in lines)])


HABITS: Mapping[str, Callable[[Dice, Lines, Scene], Lines]] = {
    "rows": _rows,
    "values": _values,
    "around rows": _around_rows,
    "around values": _around_values,
    "around nothing": _around_nothing,
    "recreate column": _recreate_column,
    "nested": _nested,
    "savepoint": _savepoint,
    "given up": _given_up,
    "asked": _asked,
    "inspected": _inspected,
}
_OF_VALUES = ("values", "around values", "recreate column", "given up")
_WEIGHTS = {"rows": 3, "values": 5, "around rows": 3, "around values": 3, "around nothing": 2}
_WEIGHTED = [(kind, number) for kind in HABITS for number in range(_WEIGHTS.get(kind, 1))]
