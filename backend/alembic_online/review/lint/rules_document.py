"""The page of all rules: written from the rules themselves."""

from collections.abc import Iterator

from alembic_online.review.lint.allowances import ALLOWANCE
from alembic_online.review.lint.rules import RULES

_HEAD = """\
# What lint looks for

Written by `python -m alembic_online lint --rules`.
A revision is excepted from a rule by a line of its own, which says why: `# lint: allow RULE because ...`
"""


def page() -> str:
    """All rules, as Markdown."""
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for rule in (*RULES, ALLOWANCE):
        yield f"## {rule.code}\n\n{rule.danger} {rule.reason}\n\nInstead: `{rule.remedy}`\n"
