"""`# lint: allow RULE because ...` in a revision, or several rules with commas between them.

The reason is required, and one that allows nothing is a finding.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic_online.review.lint.rule import Finding, Found, Revision, Rule

_ALLOW = re.compile(
    r"#\s*lint:\s*allow\b\s*(?P<rules>[\w-]*(?:\s*,\s*[\w-]+)*)\s*(?:because\b\s*(?P<reason>.*))?", re.IGNORECASE
)


def _nothing(_: Revision) -> Iterator[Found]:
    return iter(())


ALLOWANCE = Rule(
    "allowance",
    "An exception from a rule is not explained, or not needed.",
    "Whoever reads it later must be able to judge whether it still holds.",
    "# lint: allow RULE because WHY",
    _nothing,  # what it finds depends on the findings of all the others
)


@dataclass(frozen=True)
class Allowance:
    """One such comment."""

    rule: str
    reason: str
    line: int


def read_allowances(revision: Revision) -> list[Allowance]:
    """All of the file's."""
    found = ((_ALLOW.match(comment), line) for comment, line in revision.source.comments())
    return [
        Allowance(rule.strip().lower(), (match["reason"] or "").strip(), line)
        for match, line in found
        if match
        for rule in match["rules"].split(",")
    ]


def less_allowed(revision: Revision, findings: Sequence[Finding], codes: frozenset[str]) -> Iterator[Finding]:
    """The findings that are not allowed, and what is wrong with the allowances themselves."""
    allowances = read_allowances(revision)
    reasons = {each.rule for each in allowances if each.reason}
    yield from (finding for finding in findings if finding.rule.code not in reasons)
    broken = {finding.rule.code for finding in findings}
    for each in allowances:
        if said := _problem(each, broken, codes):
            yield Finding(revision.revision, revision.source.path.name, each.line, ALLOWANCE, said)


def _problem(allowance: Allowance, broken: set[str], codes: frozenset[str]) -> str:
    if allowance.rule not in codes:
        return f"There is no rule {allowance.rule or '(none named)'}."
    if not allowance.reason:
        return f"It allows {allowance.rule} and does not say why."
    return "" if allowance.rule in broken else f"Nothing here breaks {allowance.rule}."
