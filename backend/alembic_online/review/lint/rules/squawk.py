"""squawk: what that linter says of the statements that really run."""

from collections.abc import Iterator

from alembic_online.review.lint import squawk
from alembic_online.review.lint.rule import Found, Revision, Rule

_TELLS = frozenset(
    [
        "adding-required-field",
        "adding-serial-primary-key-field",
        "ban-drop-database",
        "ban-truncate-cascade",
        "identifier-too-long",
        "transaction-nesting",
        "ban-uncommitted-enum-value",
    ]
)
"""Those of its rules that are not about style and that no trace answers better."""


def _check(revision: Revision) -> Iterator[Found]:
    if revision.trial and squawk.is_installed():
        traced = revision.trial.upgrade
        for said in squawk.read([each.sql for each in traced]):
            if said.rule in _TELLS:
                line = next((each.line for each in traced if said.statement.rstrip(";") in each.sql), 0)
                yield Found(f"{said.rule}: {said.message} ({said.statement})", line or 1)


RULE = Rule(
    "squawk",
    "A statement is known to cause trouble.",
    "squawk (squawkhq.com) reads each statement that runs; the finding names its rule, and its page explains it.",
    "what the finding says",
    _check,
)
