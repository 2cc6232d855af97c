"""The cases of `changes/*.txt`: each a change of a schema, the words for it, and how to undo it.

== default changes
from: 18                        the oldest PostgreSQL that has it, when that is not 16
setup: ALTER TABLE ...          one statement a line, on top of the tables of conftest.py
change: ALTER TABLE ...
words: chapters: column ...     every line that must come out, and no other; none: no difference
undo: ALTER TABLE ...
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHANGES = Path(__file__).resolve().parent / "changes"


@dataclass(frozen=True)
class Case:
    family: str
    name: str
    since: int
    setup: list[str]
    change: list[str]
    words: list[str]
    undo: list[str]

    def __str__(self) -> str:
        return f"{self.family}: {self.name}"


def cases() -> Iterator[Case]:
    """Every case of every family."""
    for file in sorted(CHANGES.glob("*.txt")):
        for block in file.read_text().split("\n\n"):
            yield _parse(file.stem, block.strip().splitlines())


def _parse(family: str, lines: list[str]) -> Case:
    fields: dict[str, list[str]] = defaultdict(list)
    for line in lines[1:]:
        key, _, value = line.partition(": ")
        fields[key].append(value)
    since = int(fields.pop("from", ["16"])[0])
    return Case(family, lines[0].removeprefix("== "), since, **{"setup": [], "words": [], **fields})
