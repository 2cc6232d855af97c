"""May a downgrade destroy data? The policy says so, or a person at a terminal does."""

import sys
from dataclasses import dataclass, field

from alembic_online.policy import Policy
from alembic_online.runner.data_loss import Loss


@dataclass
class Consent:
    """Given for one revision at a time; `can_ask` where a person sits at a terminal."""

    policy: Policy
    can_ask: bool = False
    _given: set[str] = field(default_factory=set)

    def given(self, revision: str) -> bool:
        """Whether the data of this revision's downgrade may go."""
        return "true" in self.allowed or revision in {*self.allowed, *self._given}

    @property
    def allowed(self) -> list[str]:
        """What the policy says: the ids of revisions, or `true` for all."""
        return self.policy.data_loss_allowed

    def ask(self, lost: list[Loss], revision: str) -> bool:
        """Show what would go and ask; in production the answer is the revision's id, so that no finger slips."""
        if not self.can_ask:
            return False
        wanted = revision if self.policy.production else "yes"
        sys.stderr.write(f"The downgrade of {revision} destroys data:\n")
        sys.stderr.writelines(f"  {loss}\n" for loss in lost)
        sys.stderr.write(f"Type {wanted} to go on: ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() == wanted.lower():
            self._given.add(revision)
        return revision in self._given
