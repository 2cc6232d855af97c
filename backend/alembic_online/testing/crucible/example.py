"""One example: a schema, a change of it, and what happens meanwhile; all of it follows from a seed."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from alembic_online.testing.crucible.changes import Change, after, random_changes
from alembic_online.testing.crucible.dice import Dice
from alembic_online.testing.crucible.habits import Habit, random_habits
from alembic_online.testing.crucible.interruptions import Interruption, random_interruptions
from alembic_online.testing.crucible.project import STEP
from alembic_online.testing.crucible.schema import Column, Schema, from_json, to_json
from alembic_online.testing.crucible.schemas import random_schema

_OF_ONE_CHANGE = 3


@dataclass(frozen=True)
class Example:
    """As plain data: it can be shortened, and run again from a file."""

    seed: str
    before: Schema
    changes: tuple[Change, ...]
    rows: int = 40
    spelling: str = ""
    """How the revision is written: empty for what autogenerate writes, else the seed of a person's spelling."""
    interruptions: tuple[Interruption, ...] = ()
    driver: str = ""
    small: float = 0
    """Bytes below which a table is changed directly."""
    writes: bool = False
    """Whether clients commit rows meanwhile."""
    guessed: bool = False
    """Whether the schema is a project's own: its rows are guessed."""
    below: bool = False
    """Whether a revision below the change adds a column to the first table."""
    habits: tuple[Habit, ...] = ()
    """Of the person who goes on with the revision."""
    mixed: bool = False
    """Whether half of the tables are small; one of them has more rows than the others."""
    phases: bool = False
    """Whether each revision says its phase."""

    @property
    def is_by_hand(self) -> bool:
        """Whether a person wrote any of the revision."""
        return bool(self.spelling or self.habits)

    @property
    def after(self) -> Schema:
        """What the models say afterwards."""
        return after(self.models, self.changes)

    @property
    def models(self) -> Schema:
        """What they say before it."""
        if not self.below:
            return self.before
        first = self.before.tables[0]
        return self.before.having(replace(first, columns=(*first.columns, Column(STEP, "integer"))))


def random_example(seed: str, schema: Schema | None = None) -> Example:
    """Of a random schema, or of a given one; so many examples one after the other are of the same change."""
    common = (
        f"{seed.rpartition('.')[0]}.{family(int(number))}" if (number := seed.rpartition(".")[2]).isdigit() else seed
    )
    of_change, dice = Dice(f"change {common}"), Dice(f"example {seed}")
    before = schema or random_schema(common)
    below = of_change.chance(0.15)
    return Example(
        seed,
        before,
        random_changes(common, before),
        rows=of_change.number(0, 1) * 30 + of_change.number(8, 60),
        spelling=seed if dice.chance(0.5) else "",
        interruptions=random_interruptions(seed, below=below),
        driver=dice.one(("", "psycopg", "asyncpg")),
        small=1e6 if of_change.chance(0.1) else 0,
        writes=not below and dice.chance(0.5),
        guessed=schema is not None,
        below=below,
        habits=random_habits(seed),
        mixed=of_change.chance(0.2),
        phases=of_change.chance(0.25),
    )


def family(number: int) -> int:
    """That of the example of this number, from 1 on: autogenerate takes longer than all else."""
    return (number - 1) // _OF_ONE_CHANGE


def written(example: Example) -> str:
    """As JSON."""
    return json.dumps({**asdict(example), "before": to_json(example.before)}, indent=1)


def read(text: str) -> Example:
    """What `written` wrote."""
    data: dict[str, Any] = json.loads(text)
    return replace(
        Example(**data),
        before=from_json(data["before"]),
        changes=tuple(Change(**each) for each in data["changes"]),
        interruptions=tuple(Interruption(**each) for each in data["interruptions"]),
        habits=tuple(Habit(**each) for each in data.get("habits", ())),
    )
