"""The losses of the downgrade that runs: counted before each statement, asked about before anything is committed."""

from typing import Any

from alembic.script import Script
from sqlalchemy import Connection

from alembic_online.postgres.locks.reader import statements
from alembic_online.recipes.cutover.commit_points import calls_functions
from alembic_online.runner.copied_values import CopiedRows, Copies, moved, whole_rows
from alembic_online.runner.data_loss import COUNT_SECONDS, Loss, changed, losses
from alembic_online.runner.data_loss_confirmation import Consent
from alembic_online.runner.dropped_data import gone, inside
from alembic_online.runner.lock_wait import MustRetry
from alembic_online.runner.lossy_casts import changes
from alembic_online.runner.opaque_statements import Holding, holdings, missing
from alembic_online.runner.reversible_losses import WaysBack, ways_back


class AskFirst(MustRetry):
    """What cannot be taken back is about to destroy data: this transaction must end before anybody is asked."""


class LossesNow:
    """Of one revision after the other; nothing is counted on the way up, nor where consent was given."""

    def __init__(self, consent: Consent) -> None:
        self._consent = consent
        self._revision = ""
        self._ways = WaysBack()
        self._counted: set[str] = set()
        self._copies = Copies()
        self._before: list[Holding] | None = None
        self._moved: list[CopiedRows] = []
        self._seen: set[str] = set()
        self._lost: dict[Loss, None] = {}

    @property
    def found(self) -> list[Loss]:
        """All that was found in this try."""
        return list(self._lost)

    def begin(self, script: Script, direction: str) -> None:
        """A revision begins."""
        self._revision = script.revision if direction == "downgrade" else ""
        self._ways = ways_back(script) if self.counts else WaysBack()
        self.start_again()

    def start_again(self) -> None:
        """What was found is rolled back."""
        self._lost.clear()
        self._counted.clear()
        self._copies = Copies()
        self._before = None

    def check(self) -> None:
        """Raise `AskFirst` where something is lost that nobody has agreed to."""
        if self._lost and self.counts:
            raise AskFirst

    def before_change(self, connection: Connection, statement: str) -> None:
        """Count what a new type would change, before it is decided how the change is carried out."""
        if self.counts and next(changes(statement), None) is not None:
            self._counted.add(statement)
            self._add(*changed(connection, statement, self._ways))

    def before(
        self, connection: Connection, statement: str, parameters: Any, *, held: float | None, ours: bool
    ) -> None:
        """Count what `statement` takes away; for no longer than `held` where strong locks are, so many seconds.

        What blocks of ours do is known; another one is looked into, and watched for what no text tells.
        """
        if not self.counts:
            return
        seconds = COUNT_SECONDS if held is None else min(held, COUNT_SECONDS)
        types = statement not in self._counted
        for each in (statement, *(() if ours else inside(statement))):
            options = {"copies": self._copies, "parameters": parameters, "seconds": seconds, "types": types}
            self._add(*losses(connection, each, self._ways, **options))
        self._copies.follow(statement)
        self._before = None
        if not ours and (calls_functions(statement) or _merges(statement)):
            self._before = holdings(connection)
            self._moved = [each for each in moved(statement) if whole_rows(connection, each)]
            self._seen = {str(found) for each in inside(statement) for found in gone(connection, each)}

    def after(self, connection: Connection) -> None:
        """What is gone by now of what was watched counts as lost, unless it was counted."""
        if self._before is not None:
            found = missing(self._before, connection, rows=not self._ways.inserts, moved=self._moved)
            self._add(*(loss for name, loss in found if name not in self._seen))
            self._before = None

    @property
    def counts(self) -> bool:
        """Whether anything is counted: on the way down, and where nobody has agreed yet."""
        return bool(self._revision) and not self._consent.given(self._revision)

    def _add(self, *found: Loss) -> None:
        self._lost |= dict.fromkeys(found)


def _merges(statement: str) -> bool:
    return any(reader.accept("MERGE") for reader in statements(statement))
