"""What is said of examples: in the end for all, and of one that fails all that is needed to see it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alembic_online.testing.crucible.example import Example
from alembic_online.testing.crucible.outcome import Outcome

_OURS = ("autogenerate", "upgrade", "downgrade")


@dataclass
class Totals:
    """Of many examples."""

    examples: int = 0
    interrupted: int = 0
    failed: int = 0
    early: int = 0
    in_a_row: int = 0
    longest_row: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    habits: Counter[str] = field(default_factory=Counter)
    spent: Counter[str] = field(default_factory=Counter)

    def add(self, example: Example, outcome: Outcome) -> None:
        """One more."""
        self.examples += 1
        self.interrupted += bool(outcome.interrupted)
        self.failed += bool(outcome.faults)
        self.early += outcome.early
        self.in_a_row = 0 if outcome.faults else self.in_a_row + 1
        self.longest_row = max(self.longest_row, self.in_a_row)
        self.kinds.update(change.kind for change in example.changes)
        self.habits.update(habit.kind for habit in example.habits)
        if outcome.refused:
            self.refused[outcome.refused.partition(":")[0]] += 1
        self.spent.update(outcome.spent)

    def merge(self, other: "Totals") -> None:
        """Those of another process."""
        self.examples += other.examples
        self.interrupted += other.interrupted
        self.failed += other.failed
        self.early += other.early
        self.longest_row = max(self.longest_row, other.longest_row)
        for mine, theirs in (
            (self.refused, other.refused),
            (self.kinds, other.kinds),
            (self.habits, other.habits),
            (self.spent, other.spent),
        ):
            mine.update(theirs)

    def lines(self) -> Sequence[str]:
        """In words."""
        whole = sum(self.spent.values()) - self.spent["clients"] or 1.0  # they run during an upgrade
        ours = sum(self.spent[name] for name in _OURS) - self.spent["clients"]
        return [
            f"{self.examples} examples, {self.interrupted} of them broken off; {self.failed} failed;"
            f" at most {self.longest_row} in a row passed.",
            f"In {self.early} the old code met before the last commit what the change forbids to it.",
            f"Not carried out to the end: {_listed(self.refused) or 'none'}.",
            f"Changes: {_listed(self.kinds)}.",
            f"Habits: {_listed(self.habits) or 'none'}.",
            f"{whole / max(self.examples, 1):.2f} s an example; {ours / whole:.0%} of it in the toolkit"
            f" ({', '.join(f'{name} {seconds / whole:.0%}' for name, seconds in self.spent.most_common())}).",
        ]


def _listed(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common())


def described(example: Example, outcome: Outcome, folder: Path) -> str:
    """An example with its schema, its revision, and what was wrong."""
    revision = folder / "versions" / "002_change.py"
    base = folder / "versions" / "001_base.py"
    return "\n".join(
        [
            f"seed {example.seed}; changes {', '.join(change.kind for change in example.changes)}",
            f"broken off: {', '.join(f'{each.kind} at {each.at}' for each in example.interruptions) or 'never'};"
            f" driver {example.driver or 'none'}; rows {example.rows}; clients write: {example.writes};"
            f" small table: {example.small:g} bytes{', or half of them' if example.mixed else ''};"
            f" phases: {example.phases}; spelling {example.spelling or 'autogenerate'};"
            f" habits {', '.join(habit.kind for habit in example.habits) or 'none'}",
            *outcome.faults,
            "--- 001 (rows are made by the crucible)",
            base.read_text().partition("def upgrade")[2].replace("\\n", " ").replace("\\t", "")
            if base.exists()
            else "",
            "--- 002",
            revision.read_text() if revision.exists() else "none",
        ]
    )
