"""What a verb has found, in the form that every format is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

_LONGEST = 240  # characters of a statement that is shown


class Level(StrEnum):
    """How bad it is; the words are SARIF's."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Rule:
    """What is looked for."""

    code: str
    level: Level
    danger: str
    """What goes wrong, a sentence."""
    reason: str
    """Why."""
    remedy: str
    """What to write instead, by example."""


@dataclass(frozen=True)
class Finding:
    """One place where a rule is broken."""

    rule: Rule
    revision: str
    """Empty for what is no revision's."""
    file: str
    """With slashes, as seen from the folder of the report."""
    line: int
    what: str
    instead: str = ""
    """What to write instead, in words or in Python."""
    sql: tuple[str, ...] = ()
    """What would be executed instead."""

    @property
    def statements(self) -> list[str]:
        """The same for a reader: a line each, and of a long one its beginning."""
        lines = [" ".join(sql.split()).rstrip(";") for sql in self.sql]
        return [f"{line if len(line) <= _LONGEST else line[: _LONGEST - 1] + '…'};" for line in lines]


@dataclass(frozen=True)
class Report:
    """All of it."""

    verb: str
    version: str
    """Of the toolkit."""
    title: str
    headline: str
    """A sentence: how much was looked at, and how much was found."""
    rules: Sequence[Rule]
    """All that were looked for, in the order in which they are shown."""
    findings: Sequence[Finding]
    remarks: Sequence[str] = ()
    """What could not be looked at, and why: sentences."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What was assumed and used, in few words."""

    def ordered(self) -> list[Finding]:
        """The findings by level, then by rule, each in the order of the chain."""
        levels, rules = list(Level), [rule.code for rule in self.rules]
        return sorted(self.findings, key=lambda each: (levels.index(each.rule.level), rules.index(each.rule.code)))
