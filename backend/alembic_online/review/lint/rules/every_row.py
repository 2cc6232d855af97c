"""every-row: one statement that changes all rows of a table."""

from collections.abc import Iterator

from alembic_online.review.lint.data_changes import DataChange, data_changes
from alembic_online.review.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    for change in data_changes(revision.trial) if revision.trial else ():
        if change.verb in ("UPDATE", "DELETE FROM") and not change.bounded:
            said = f"It changes every row of {change.table} in one statement: {change.sql}"
            yield Found(said, change.line, _remedy(change))


def _remedy(change: DataChange) -> str:
    if change.verb == "UPDATE":
        column = change.column or "COLUMN"
        return f'op.backfill("{change.table}", {{"{column}": "VALUE"}}, where="{column} IS NULL")  # in batches'
    return f"the application deletes from {change.table} in parts; or TRUNCATE, if nobody uses it meanwhile"


RULE = Rule(
    "every-row",
    "All rows stay locked until the last is written, the table doubles in size, and replicas fall behind.",
    "One statement is one transaction.",
    'op.backfill("books", {"pages": "0"}, where="pages IS NULL")  # in batches, and it can be stopped',
    _check,
)
