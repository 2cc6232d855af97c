"""A rule is a value, and what it looks at is one revision with all that is known of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from alembic_online.releases.phase import Phase
from alembic_online.review.lint.executed_revision import Trial
from alembic_online.review.lint.replay import Broken
from alembic_online.review.lint.source import Source
from alembic_online.review.plan.large_tables import Sizes

Mapped = frozenset[tuple[str, str, str]]
"""Schema ("" for the default one), table and column; the column is empty for the table itself."""


@dataclass(frozen=True)
class Revision:
    """One revision as the rules see it."""

    revision: str
    parents: tuple[str, ...]
    source: Source
    trial: Trial | None = None
    """None where it was not tried: one after a revision that fails."""
    edited: str = ""
    """Where another version of it has landed, in words."""
    direct: frozenset[str] = frozenset()
    """Tables that it changes directly, and says why."""
    mapped: Callable[[], Mapped | None] = field(default=lambda: None)
    """What the models of the main branch map; None where they cannot be read: then all that there is may be mapped."""
    phase: Phase | None = None
    """What it says."""
    expects_phase: bool = False
    """Whether the project has its contracts wait, and this is no revision from before that."""
    sizes: Sizes = field(default_factory=Sizes)
    """How large its tables count as."""
    replayed: tuple[Broken, ...] = ()
    """What it breaks of the statements that were recorded."""


@dataclass(frozen=True)
class Found:
    """One place where a rule is broken."""

    what: str
    line: int = 1
    remedy: str = ""
    """What to write instead, about the tables at hand; the rule's own where this is empty."""


@dataclass(frozen=True)
class Rule:
    """What is looked for, and what to tell."""

    code: str
    """The name by which a revision allows it."""
    danger: str
    """What goes wrong, a sentence."""
    reason: str
    """Why."""
    remedy: str
    """What to write instead, by example: the page has no table at hand."""
    check: Callable[[Revision], Iterator[Found]]


@dataclass(frozen=True)
class Finding:
    """A rule that a revision breaks."""

    revision: str
    file: str
    line: int
    rule: Rule
    what: str
    remedy: str = ""
    """About what is at hand, where the rule has more to say than by its example."""

    @property
    def instead(self) -> str:
        """What to write instead."""
        return self.remedy or self.rule.remedy
