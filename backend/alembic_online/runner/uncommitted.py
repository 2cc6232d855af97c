"""What a revision has carried out and not committed yet, and what clients would miss if that were committed now."""

from collections.abc import Iterable, Sequence

from alembic_online.recipes.cutover.availability_gaps import Gaps
from alembic_online.recipes.cutover.pending_statements import Waiting


class Uncommitted:
    """Of one try of a revision after the other; between them there is nothing."""

    def __init__(self) -> None:
        self._gaps: Gaps | None = None
        self._done: list[Waiting] = []

    def begin(self, gaps: Gaps) -> None:
        """A try begins."""
        self._gaps, self._done = gaps, []

    def note(self, waiting: Sequence[Waiting]) -> None:
        """These are about to be carried out."""
        if self._gaps is not None:
            self._gaps.note(waiting)
        self._done += waiting

    def forget(self) -> None:
        """It is committed, or rolled back."""
        self._done = []

    def would_miss(self, waiting: Iterable[Waiting]) -> bool:
        """Whether something that these give up is made again below."""
        return self._gaps is not None and any(self._gaps.found(waiting))

    @property
    def would_leave_gap(self) -> bool:
        """Whether something that was carried out gives up what is made again below."""
        return self.would_miss(self._done)

    def refuse(self, waiting: Sequence[Waiting] = (), sql: str = "") -> None:
        """Raise `RevisionFailed` where a commit of it, and of these, before `sql`, leaves clients without something."""
        if self._gaps is not None and (self._done or waiting):
            self._gaps.refuse([*self._done, *waiting], sql)
