"""What the migration is doing at this moment: written by the safeguards, read by whoever shows it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from traceback import FrameSummary

LOOK = 0.25
"""Seconds between two looks."""
QUIET = 1.0
"""Seconds that a step may take without a word."""


@dataclass(frozen=True)
class Progress:
    """How far a statement or a backfill is; `total` is 0 where nobody keeps count."""

    phase: str
    done: int
    total: int
    relation: str
    size: str
    seconds_left: float | None = None
    """Where it is known better than by the share that is done."""

    def line(self, elapsed: float) -> str:
        """In words, with an estimate of the time that is left."""
        if not self.total:
            return f"on {self.relation} ({self.size}), no estimate"
        share = min(self.done / self.total, 1.0)
        seconds = elapsed * (1 - share) / share if self.seconds_left is None and share > 0.02 else self.seconds_left
        left = f", about {seconds:.0f} s left" if seconds is not None else ""
        return f"on {self.relation} ({self.size}), {self.phase}: {share:.0%}{left}"


@dataclass
class Activity:
    """One for a run. Times are of `time.monotonic`."""

    revision: str = ""
    direction: str = ""
    step: str = ""
    """The statement, shortened and without values."""
    words: str = ""
    """What is shown instead of the next statement."""
    written_at: FrameSummary | None = None
    """Where the revision says what runs now, if its call there has returned since."""
    number: int = 0
    """Which statement of the revision it is, from 1."""
    waiting: str = ""
    """For whom or what it waits instead of working, in one line."""
    progress: Progress | None = None
    """Where the migration itself keeps count, as it does of a backfill."""
    size_before: int | None = None
    """Bytes of the whole database before the step, where it may rewrite a table."""
    since: float = field(default_factory=time.monotonic)
    watchers: set[int] = field(default_factory=set)
    """The backends by which its progress is read: sessions of ours, in nobody's way."""

    def begin_revision(self, revision: str, direction: str) -> None:
        """A revision begins, or begins again."""
        self.revision, self.direction, self.step, self.number, self.waiting = revision, direction, "", 0, ""
        self.since = time.monotonic()

    def begin_step(self, step: str) -> None:
        """A statement of the revision begins."""
        self.step, self.number, self.waiting, self.since = self.words or step, self.number + 1, "", time.monotonic()
        self.progress = self.size_before = None

    @contextmanager
    def called(self, words: str) -> Iterator[None]:
        """What runs in the block is shown by these words."""
        self.words = words
        try:
            yield
        finally:
            self.words = ""

    @contextmanager
    def written(self, line: FrameSummary | None) -> Iterator[None]:
        """What runs in the block was asked for by this line of the revision."""
        before, self.written_at = self.written_at, line
        try:
            yield
        finally:
            self.written_at = before

    @contextmanager
    def watched(self, pid: int) -> Iterator[None]:
        """In the block, the backend `pid` reads the progress."""
        self.watchers.add(pid)
        try:
            yield
        finally:
            self.watchers.discard(pid)

    def wait(self, line: str) -> None:
        """Waiting begins or goes on."""
        if not self.waiting:
            self.since = time.monotonic()
        self.waiting = line

    def stop_waiting(self) -> None:
        """The way is free."""
        self.waiting, self.since = "", time.monotonic()

    @property
    def where(self) -> str:
        """The place in words: revision, direction, step."""
        if not self.revision:
            return "before the first revision"
        step = f", step {self.number}: {self.step}" if self.step else ""
        return f"{self.direction} of {self.revision}{step}"

    @property
    def seconds(self) -> float:
        """How long the step, or the waiting, has taken."""
        return time.monotonic() - self.since

    def line(self, progress: Progress | None) -> str:
        """Waiting for whom, or at which step, for how long, how far."""
        if self.waiting:
            return self.waiting
        return f"{self.where}, {self.seconds:.0f} s{f' {progress.line(self.seconds)}' if progress else ''}"

    async def until_long(self) -> None:
        """Return when the step, or the waiting, has taken so long that a person wonders."""
        while self.seconds < QUIET:  # noqa: ASYNC110  it is the clock that is waited for
            await asyncio.sleep(LOOK)
