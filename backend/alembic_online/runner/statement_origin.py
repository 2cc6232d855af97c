"""Whose statement it is that runs on the migration's connection: the revision's, or one of ours."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from alembic_online.recipes.step import Step


class Whose:
    """What the statements of a block are for."""

    def __init__(self) -> None:
        self._own = self._nobody_reads = self._in_steps = self._is_prepared = self._is_alone = False
        self._step: Step | None = None

    @property
    def is_ours(self) -> bool:
        """Whether what runs now is a question or a note of ours: it passes all safeguards by."""
        return self._own

    @property
    def in_steps(self) -> bool:
        """Whether what runs now is a step, and not the revision's next line."""
        return self._in_steps

    @property
    def nobody_reads(self) -> bool:
        """Whether what runs now is an operation: a SELECT too is there for its effect."""
        return self._nobody_reads

    @property
    def step(self) -> Step | None:
        """The step of an online operation that is about to run."""
        return self._step

    @property
    def is_prepared(self) -> bool:
        """Whether all that may be asked of what runs now was asked before (`pipelined_statements`)."""
        return self._is_prepared

    @property
    def is_alone(self) -> bool:
        """Whether what runs now is done as with plain Alembic, because nobody else is there (`alone`)."""
        return self._is_alone

    @contextmanager
    def alone(self) -> Iterator[None]:
        """What runs in the block stays in its transaction, and needs no safeguards for others."""
        self._is_alone = True
        try:
            yield
        finally:
            self._is_alone = False

    @contextmanager
    def ours(self) -> Iterator[None]:
        """What runs in the block is not the revision's."""
        before, self._own = self._own, True
        try:
            yield
        finally:
            self._own = before

    @contextmanager
    def steps(self) -> Iterator[None]:
        """What runs in the block are the steps of an operation, or the cut-over."""
        before, self._in_steps = self._in_steps, True
        try:
            yield
        finally:
            self._in_steps = before

    @contextmanager
    def command(self) -> Iterator[None]:
        """What runs in the block comes from an operation."""
        self._nobody_reads = True
        try:
            yield
        finally:
            self._nobody_reads = False

    @contextmanager
    def carrying_out(self, step: Step) -> Iterator[None]:
        """What runs in the block is this step."""
        self._step = step
        try:
            yield
        finally:
            self._step = None

    @contextmanager
    def prepared(self, keys: Collection[str]) -> Iterator[None]:
        """What runs in the block was asked for before, if it is anything."""
        self._is_prepared = bool(keys)
        try:
            yield
        finally:
            self._is_prepared = False
