"""every-row: one statement that changes all rows of a table."""

from collections.abc import Iterator

from src.safety.lint.data_changes import data_changes
from src.safety.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    for change in data_changes(revision.trial) if revision.trial else ():
        if change.verb in ("UPDATE", "DELETE FROM") and not change.bounded:
            yield Found(f"It changes every row of {change.table} in one statement: {change.sql}")


RULE = Rule(
    "every-row",
    "All rows stay locked until the last is written, the table doubles in size, and replicas fall behind.",
    "One statement is one transaction.",
    'op.backfill("books", {"pages": "0"}, where="pages IS NULL")  # in batches, and it can be stopped',
    _check,
)
