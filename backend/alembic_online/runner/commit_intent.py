"""What is about to be committed, as a line of the journal that is committed with it.

What a commit has changed is read from the catalogue after it. A run that is killed between the two leaves this line:
the next one knows by it which objects may be others than they were noted, and what was made.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from alembic_online.postgres.sql.literals import hide_literals
from alembic_online.recipes.object_effects import made
from alembic_online.runner.facts import Facts

_COMMITTED, _MADE = "committed ", " made "
_LONGEST = 10_000
"""Characters of a statement: a longer one has rows in it."""
# What facts tell of, with a name that stands in the statement.
_KINDS = re.compile(r"\s*(CREATE\s+(UNIQUE\s+)?INDEX|CREATE\s+TABLE|ALTER\s+TABLE)\b", re.IGNORECASE)
# What may be run twice: after somebody has taken it back it is to be, and else nothing comes of it.
_REPEATABLE = re.compile(
    r"\s*(ALTER\s+TABLE\s+(ONLY\s+)?\S+\s+ALTER\s+(COLUMN\s+)?\S+"
    r"\s+(DROP\s+DEFAULT|SET\s+DEFAULT\s[^,]*|(SET|DROP)\s+NOT\s+NULL)"
    r"|COMMENT\s+ON\s.*)\s*;?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_REPEATS = " *"


def committed(texts: Sequence[str]) -> str:
    """The line for these statements."""
    short = [hide_literals(text) for text in texts if len(text) < _LONGEST]
    names = {name.lower() for text in short if _KINDS.match(text) for name in made(text) if re.fullmatch(r"\w+", name)}
    words = set(re.findall(r"\w+", " ".join(short).lower()))
    repeats = _REPEATS if texts and all(map(_REPEATABLE.match, texts)) else ""
    return f"{_COMMITTED}{' '.join(sorted(words))}{_MADE}{' '.join(sorted(names))}{repeats}"


def is_committed(line: str) -> bool:
    """Whether a line of a journal is one of these."""
    return line.startswith(_COMMITTED)


@dataclass(frozen=True)
class Committed:
    """What the lines at the end of a journal tell."""

    words: frozenset[str]
    made: frozenset[str]
    repeats: bool
    """It may be run again."""

    def is_undone(self, now: Facts) -> bool:
        """Whether something was made, and nothing of it is there."""
        there = {identity.name.lower() for identity in now.objects}
        return bool(self.made) and not self.made & there


def read_committed(lines: Sequence[str]) -> Committed | None:
    """None where nothing was committed whose changes nobody came to note."""
    last = [line.removeprefix(_COMMITTED) for line in lines if is_committed(line)]
    found = [line.removesuffix(_REPEATS).partition(_MADE) for line in last]
    if not found:
        return None
    words, names = (frozenset(word for each in found for word in each[place].split()) for place in (0, 2))
    return Committed(words, names, all(line.endswith(_REPEATS) for line in last))
