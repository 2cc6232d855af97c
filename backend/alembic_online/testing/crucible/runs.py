"""Examples one after the other on one server."""

import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic_online.testing.crucible.databases import Databases
from alembic_online.testing.crucible.example import Example, random_example, written
from alembic_online.testing.crucible.outcome import Outcome
from alembic_online.testing.crucible.preparation import Preparations
from alembic_online.testing.crucible.report import Totals, described
from alembic_online.testing.crucible.schema import Schema
from alembic_online.testing.crucible.shrinking import kind_of, shrink
from alembic_online.testing.crucible.trial import Trial

Say = Callable[[str], None]


@dataclass
class Runs:
    """`keep` is a folder for examples that fail, shrunk; without one they are only said."""

    databases: Databases
    say: Say
    keep: Path | None = None
    schema: Schema | None = None
    """Of a project's own, instead of random ones."""
    shrinks: bool = True
    known: set[str] = field(default_factory=set)
    """Kinds of faults of which one is kept."""

    def __post_init__(self) -> None:
        self._preparations = Preparations(self.databases)

    def many(self, seed: str, numbers: Iterable[int], seconds: float) -> Totals:
        """Those of these numbers, until the time is over."""
        totals, deadline = Totals(), time.monotonic() + seconds
        for number in numbers:
            if time.monotonic() > deadline:
                break
            example = random_example(f"{seed}.{number}", self.schema)
            begun = time.monotonic()
            outcome, _ = self.one(example)
            totals.add(example, outcome)
            kinds = ", ".join(change.kind for change in example.changes)
            verdict = "FAILED" if outcome.faults else "passed"
            self.say(
                f"{verdict} {example.seed} in {time.monotonic() - begun:.1f} s, broken off {outcome.interrupted} times"
                f" ({kinds}) {(outcome.faults or [outcome.refused])[0][:300]}"
            )
            if outcome.faults and self.keep is not None and kind_of(outcome.faults[0]) not in self.known:
                self.known.add(kind_of(outcome.faults[0]))
                self._keep(example, outcome.faults[0], self.keep)
        return totals

    def one(self, example: Example) -> tuple[Outcome, str]:
        """What came of it, and all of it in words."""
        with TemporaryDirectory(prefix="crucible-") as folder:
            try:
                outcome = Trial(example, self.databases, Path(folder), self._preparations).run()
            except Exception:
                outcome = Outcome([f"the crucible itself: {traceback.format_exc()[-1500:]}"])
            return outcome, described(example, outcome, Path(folder))

    def shrunk(self, example: Example, fault: str) -> Example:
        """A smaller one that fails like this."""
        return shrink(example, fault, lambda smaller: next(iter(self.one(smaller)[0].faults), ""))

    def _keep(self, example: Example, fault: str, folder: Path) -> None:
        """As it is first: it takes a while to make it small."""
        for each in (example, self.shrunk(example, fault) if self.shrinks else example):
            _, words = self.one(each)
            (folder / f"crucible-{example.seed}.json").write_text(written(each))
            (folder / f"crucible-{example.seed}.txt").write_text(words)
