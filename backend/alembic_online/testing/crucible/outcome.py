"""What came of an example."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """What came of an example."""

    faults: list[str] = field(default_factory=list)
    refused: str = ""
    """Why it was not carried out to its end, where that is right."""
    interrupted: int = 0
    early: bool = False
    """Whether the old code met before the last commit what the change forbids to it."""
    spent: dict[str, float] = field(default_factory=dict)
    """Seconds, by what they went into."""

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            self.spent[what] = self.spent.get(what, 0.0) + time.monotonic() - begun

    def fault(self, kind: str, words: str) -> None:
        """Something is not as it should be."""
        self.faults.append(f"{kind}: {words}")


def line(error: BaseException) -> str:
    """An error on one line."""
    with suppress(Exception):
        return f"{type(error).__name__}: " + " ".join(str(error).split())[:600]
    return type(error).__name__
