"""runs: the revision can be carried out, both ways."""

import re
from collections.abc import Iterator

from alembic_online.review.lint.rule import Found, Revision, Rule

_LINE = re.compile(r", line (\d+) failed")


def _check(revision: Revision) -> Iterator[Found]:
    if revision.trial and revision.trial.failed:
        line = _LINE.search(revision.trial.failed)
        yield Found(revision.trial.failed, int(line[1]) if line else 1)


RULE = Rule(
    "runs",
    "The revision fails where it is applied, or where it is taken back.",
    "It was run on a scratch database with the schema that the chain makes, whose tables count as large.",
    "what the message says; then run lint again",
    _check,
)
