"""What the catalogue shows of a schema, as facts that are cheap to read and to compare.

`alembic_online.postgres.catalogue` reads everything that can be declared; this is what a statement of a revision leaves
behind, and by which it is told whether that is still there. `catalogue_facts` reads them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Identity(NamedTuple):
    """One object; `table` is what it is a part of, "" where it stands by itself."""

    kind: str
    schema: str
    table: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}{f' of {self.table}' if self.table else ''}"


Attributes = dict[str, str]
Key = tuple[int, int]
"""Of a relation with all its parts, a type, or a function: the OIDs of its catalogue and its own."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read together, under one key, and of which version; the number of each object (see `Facts`)."""

    version: int
    numbers: dict[Identity, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """All objects, each with what PostgreSQL says of it; and by which number each is known."""

    objects: dict[Identity, Attributes]
    numbers: dict[Identity, int] = field(default_factory=dict)
    """Of a table the OID, of a column its place: another one of the same name has another."""
    history: int = 0
    """The OID of the history's own table: another one in a database that was restored from a dump."""
    readings: dict[Key, Reading] = field(default_factory=dict)
    """Of all of them. What was not read again since an earlier look has the same reading as there."""


@dataclass(frozen=True)
class Change:
    """What became of one object: what was said of it before and after, None where it was not there.

    Of one that was there before and after, what has changed.
    """

    identity: Identity
    before: Attributes | None
    after: Attributes | None


@dataclass
class LastLook:
    """What the catalogue was like when a run last looked at it; None where it has not, or could not."""

    facts: Facts | None = None
    path: Sequence[str] | None = None
    """The schemas in which the revision's names without one are looked for; None where nobody knows."""


def changes(before: Facts, after: Facts) -> list[Change]:
    """All that differs."""
    return list(differences(_read_again(before, after), before.objects, after.objects))


def differences(
    identities: Iterable[Identity], before: Mapping[Identity, Attributes], after: Mapping[Identity, Attributes]
) -> Iterator[Change]:
    """What has become of these."""
    for identity in identities:
        old, new = before.get(identity), after.get(identity)
        if old is None or new is None:
            if old is not new:
                yield Change(identity, old, new)
        elif old != new:
            names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
            yield Change(identity, {n: old.get(n, "") for n in names}, {n: new.get(n, "") for n in names})


def moved(before: Facts, after: Facts) -> list[Identity]:
    """The tables and columns of which another one has the name now."""
    both = [each for each in _read_again(before, after) if each in before.numbers and each in after.numbers]
    return [identity for identity in both if before.numbers[identity] != after.numbers[identity]]


def _read_again(before: Facts, after: Facts) -> list[Identity]:
    found: set[Identity] = set()
    for key in before.readings.keys() | after.readings.keys():
        old, new = before.readings.get(key), after.readings.get(key)
        if old is not new:
            found.update(old.numbers if old else (), new.numbers if new else ())
    return sorted(found)
