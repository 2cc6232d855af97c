"""What one run of upgrade or downgrade works with, from its first revision to its last. Nothing of it changes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from alembic_online.alembic_seam import SupervisedContext
from alembic_online.policy import Policy
from alembic_online.runner.data_loss_confirmation import Consent
from alembic_online.runner.hand_change_check import HandChangeCheck
from alembic_online.runner.lock_wait import FreeWay
from alembic_online.runtime.activity import Activity
from alembic_online.runtime.history import History
from alembic_online.runtime.rehearsal import Rehearsal
from alembic_online.runtime.waiter import Beside

if TYPE_CHECKING:
    from alembic_online.runner.contract_gate import ContractGate


@dataclass(frozen=True)
class Run:
    """Made by the migrator, and passed to whoever carries out a part of the run."""

    context: SupervisedContext
    policy: Policy
    history: History
    way: FreeWay
    activity: Activity
    """What runs now, for whoever shows it."""
    beside: Beside
    """Where to work beside the revision's transaction."""
    consent: Consent
    """To lose data."""
    hand_changes: HandChangeCheck | None
    """None where the run is only to be looked at."""
    gate: "ContractGate | None"
    """What has a contract wait for older releases, where the project has asked for that."""
    rehearsal: Rehearsal | None
    """Whom to tell, where the run is only to be looked at."""

    @property
    def connection(self) -> Connection:
        """On which the revisions run."""
        assert self.context.connection is not None, "a run that changes the database has one"
        return self.context.connection
