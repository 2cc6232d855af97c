"""What a half-applied revision has committed, unit by unit, held against the catalogue as it is now.

A unit is what was committed together. Its lines in the journal are followed by one that says what it changed. It counts
as done only where that is still so: an object that somebody has dropped since, a repair that took the half back, a
downgrade below, an older backup. What is undone is run again; what is neither done nor undone is said.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from alembic_online.runner.commit_intent import changes_since, is_committed, read_intent
from alembic_online.runner.facts import Attributes, Change, Facts, Identity
from alembic_online.runner.journal import is_end, is_note

_DID = "did "
# What may be made beside rows, and said of a column, and nothing that is computed of its values changes.
_BESIDE_ROWS = ("index", "constraint", "comment", "grant", "statistics")
_OF_COLUMN = ("not null", "default")
_VALID = {("validated", "False"): "True", ("valid", "False"): "True", ("not null", "not valid"): "yes"}
State = dict[Identity, Attributes | None]


@dataclass
class Unit:
    """Lines of the journal that were committed together, and what is known of them."""

    lines: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    rows_of: dict[Identity, int] = field(default_factory=dict)
    """The tables and columns whose rows it has written, each with its number: in another one these rows are not."""
    moved: list[Identity] = field(default_factory=list)
    """The tables and columns that were there before, and are others now, by a swap."""
    history: int = 0
    """The OID of the history's table: of a restored database all numbers are others."""

    def line(self) -> str:
        """What it changed, as a line of the journal."""
        rows = [[*identity, number] for identity, number in self.rows_of.items()]
        changed = [[*each.identity, each.before, each.after] for each in self.changes]
        return _DID + json.dumps({"changes": changed, "rows": rows, "moved": self.moved, "history": self.history})

    def read(self, line: str) -> None:
        """What `line` says of it."""
        found = json.loads(line.removeprefix(_DID))
        self.history = found["history"]
        self.changes = [Change(Identity(*names), before, after) for *names, before, after in found["changes"]]
        self.moved = [Identity(*names) for names in found["moved"]]
        self.rows_of = {Identity(*names): number for *names, number in found["rows"]}

    @property
    def leaves_rows_alone(self) -> bool:
        """Whether the values of all rows are what they were, and would be if they were written now."""
        return not (self.rows_of or self.moved) and all(map(_is_beside_rows, self.changes))

    @property
    def all_lines(self) -> list[str]:
        """With the one that says what it changed."""
        return [*self.lines, self.line()]


def _is_beside_rows(change: Change) -> bool:
    if change.identity.kind in _BESIDE_ROWS:
        return True
    is_column = change.identity.kind == "column"
    return is_column and (
        change.before is None or (change.after is not None and change.before.keys() <= set(_OF_COLUMN))
    )


def units(journal: Iterable[str]) -> tuple[list[Unit], list[str]]:
    """All units, and the lines at the end whose changes nobody came to note."""
    found: list[Unit] = []
    lines: list[str] = []
    for line in journal:
        if not line.startswith(_DID):
            # That an operation is done belongs to the last of it.
            (found[-1].lines if found and not lines and is_end(line) else lines).append(line)
            continue
        # What was decided after its last statement belongs to what came next.
        place = next((n + 1 for n in reversed(range(len(lines))) if not is_note(lines[n])), 0)
        found.append(Unit(lines[:place]))
        found[-1].read(line)
        lines = lines[place:]
    return found, lines


@dataclass(frozen=True)
class Unnoted:
    """What was committed last, where nobody came to note what it changed."""

    unit: Unit | None
    """None where it is undone: it is to be run again."""
    missing: list[str]
    """What it has made and that is not there, where the rest is."""


def unnoted(found: Sequence[Unit], rest: Sequence[str], now: Facts) -> Unnoted | None:
    """None where nothing was."""
    place = max((n for n, line in enumerate(rest) if is_committed(line)), default=None)
    if place is None:
        return None
    intent = read_intent(rest[place])
    changed = changes_since(intent, state_after(found), now)
    if intent.is_undone(changed, now):
        return Unnoted(None, [])
    if intent.repeats:
        return Unnoted(Unit([], changed), [])
    made = [each.identity for each in changed if each.before is None and intent.writes(each.identity)]
    rows_of = {**intent.wrote, **{each: now.numbers[each] for each in made}}
    unit = Unit([line for line in rest[:place] if not is_committed(line)], changed, rows_of, history=intent.history)
    return Unnoted(unit, [f"{name} is missing" for name in intent.missing(now)])


def state_after(done: Sequence[Unit]) -> State:
    """What all of their objects are like when they are done."""
    state: State = {}
    for unit in done:
        for identity, before, after in _parts(unit):
            state[identity] = {**(state.get(identity) or {}), **after} if before is not None and after else after
    return state


def states(done: Sequence[Unit]) -> list[State]:
    """What they are like when none of the units is done, when the first is, ..., when all are."""
    found = [state_after(done)]
    for unit in reversed(done):
        state = dict(found[0])
        for identity, before, after in reversed(list(_parts(unit))):
            state[identity] = {**(state.get(identity) or {}), **before} if after is not None and before else before
        found.insert(0, state)
    return found


def _parts(unit: Unit) -> Iterable[tuple[Identity, Attributes | None, Attributes | None]]:
    return ((each.identity, each.before, each.after) for each in unit.changes)


def is_so(now: Facts, identity: Identity, expected: Attributes | None) -> bool:
    """Whether the object is like that, or not there where it should not be."""
    there = now.objects.get(identity)
    if expected is None or there is None:
        return expected is there
    return all(there.get(name, "") == value for name, value in expected.items())


def differing(now: Facts, state: Mapping[Identity, Attributes | None]) -> list[str]:
    """In words, what is not as in `state`, nor has been validated since.

    VALIDATE runs to its end on the server also for a client that is gone, and then nobody notes it.
    """
    return [
        _words(now, identity, expected)
        for identity, expected in state.items()
        if not is_so(now, identity, expected) and not is_so(now, identity, _validated(expected))
    ]


def _validated(noted: Attributes | None) -> Attributes | None:
    """What an object that was NOT VALID, or INVALID, is like when it is validated."""
    if noted is None:
        return None
    return {name: _VALID.get((name, value), value) for name, value in noted.items()}


def _words(now: Facts, identity: Identity, expected: Attributes | None) -> str:
    if expected is None:
        return f"{identity} is there again"
    return f"{identity} is another one now" if identity in now.objects else f"{identity} is missing"


def still_done(found: Sequence[Unit], now: Facts) -> tuple[list[Unit], list[str]]:
    """The units whose effect is there; and in words what is neither done nor undone."""
    every = states(found)
    reached = next((n for n in reversed(range(len(every))) if not differing(now, every[n])), None)
    if reached is not None:
        kept, strange = list(found[:reached]), list[str]()
    else:
        kept, strange = _one_by_one(found, now)
    for unit in list(kept):
        if _rows_are_gone(unit, kept[kept.index(unit) + 1 :], now):
            if unit.changes:
                strange += [
                    f"{identity} is another one now" for identity in unit.rows_of if not _is_same(unit, identity, now)
                ]
            else:
                kept.remove(unit)
    return kept, strange


def _one_by_one(found: Sequence[Unit], now: Facts) -> tuple[list[Unit], list[str]]:
    """Without those of which all is undone, whatever came before and after them."""
    kept = list(found)
    while True:
        state = state_after(kept)
        last = {each.identity: unit for unit in kept for each in unit.changes}
        own = {id(unit): [each for each in unit.changes if last[each.identity] is unit] for unit in kept}
        undone = [
            unit for unit in kept if own[id(unit)] and all(is_so(now, e.identity, e.before) for e in own[id(unit)])
        ]
        if not undone:
            return kept, differing(now, state)
        kept = [unit for unit in kept if unit not in undone]


def _rows_are_gone(unit: Unit, later: Sequence[Unit], now: Facts) -> bool:
    """Whether a table or column that it has written to is another one, and no later unit has made it so."""
    touched = {identity for unit in later for identity in [*unit.moved, *(each.identity for each in unit.changes)]}
    return any(not _is_same(unit, identity, now) and identity not in touched for identity in unit.rows_of)


def _is_same(unit: Unit, identity: Identity, now: Facts) -> bool:
    if unit.history != now.history:
        return identity in now.objects
    return now.numbers.get(identity) == unit.rows_of[identity]


def names_in(texts: Sequence[str]) -> "Named":
    """Of statements."""
    words = " ".join(texts).lower()
    return Named(words, frozenset(re.findall(r"\w+", words)))


@dataclass(frozen=True)
class Named:
    """What some statements name."""

    text: str
    words: frozenset[str]

    def __contains__(self, name: str) -> bool:
        plain = name.partition("(")[0].lower()
        return plain in self.words or (plain in self.text and not re.fullmatch(r"\w+", plain))
