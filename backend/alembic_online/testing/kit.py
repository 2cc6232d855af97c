"""All checks of the kit, by name. Each looks at the chain as a whole and says what it found.

What several need is done once: a `Kit` remembers its walks.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from alembic_online.postgres.errors import UserError
from alembic_online.revisions.project import Project
from alembic_online.sample_rows.row_factory import Filler, Hints
from alembic_online.testing import files
from alembic_online.testing.defaults import unstable_defaults
from alembic_online.testing.environments import Made, surroundings, whole
from alembic_online.testing.finding import Finding, in_short
from alembic_online.testing.models import differences_of_models
from alembic_online.testing.round_trip import RoundTrip
from alembic_online.testing.sandbox import on_ground


@dataclass
class Kit:
    """The kit on one project; `hints` are values for columns that cannot be guessed."""

    project: Project
    hints: Hints = field(default_factory=dict)

    def findings(self, check: str) -> list[Finding]:
        """What one of `CHECKS` finds."""
        return [each for each in CHECKS[check](self) if each.check == check]

    def examine(self) -> list[Finding]:
        """What all of them find; with two heads nothing else can be looked at."""
        if heads := self.findings("single head"):
            return heads
        return [each for check in CHECKS for each in self.findings(check)]

    @cached_property
    def plain(self) -> tuple[Made, list[str]]:
        """What the whole chain makes of an empty database, and how the models differ from it. Raises `UserError`."""
        return on_ground(self.project, lambda ground: (whole(ground), differences_of_models(ground)))

    @cached_property
    def empty(self) -> RoundTrip:
        """The round trips of all revisions without rows."""
        return RoundTrip.along(self.project, None)

    @cached_property
    def walked(self) -> list[Finding]:
        """The round trips without rows, then with rows; what both find is said once."""
        filled = RoundTrip.along(self.project, Filler(self.hints))
        return list(dict.fromkeys([*self.empty.findings, *filled.findings]))

    @cached_property
    def surrounded(self) -> list[Finding]:
        """The chain in other surroundings; where the plain run itself fails, none of them could be looked at."""
        try:
            plain, _ = self.plain
        except UserError as error:
            return [Finding(check, "", f"could not be looked at: {in_short(error)}") for check in _SURROUNDINGS]
        return surroundings(self.project, plain, self.empty.made)


_SURROUNDINGS = ("deterministic", "process", "search_path", "time zone", "role", "offline")
CHECKS: dict[str, Callable[[Kit], Iterable[Finding]]] = {
    "single head": lambda kit: files.single_head(kit.project),
    "numbering": lambda kit: files.numbering(kit.project),
    "registered": lambda kit: files.unregistered(kit.project),
    "defaults": lambda kit: unstable_defaults(kit.project),
    "models": lambda kit: [Finding("models", "", words) for words in kit.plain[1]],
    "round trip": lambda kit: kit.walked,
    "rows": lambda kit: kit.walked,
    "old code": lambda kit: kit.walked,
    **dict.fromkeys(_SURROUNDINGS, lambda kit: kit.surrounded),
}
