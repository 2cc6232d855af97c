"""schema-and-data: schema and rows are changed in one revision."""

from collections.abc import Iterator

from alembic_online.review.lint.data_changes import data_changes
from alembic_online.review.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    if revision.trial and revision.trial.differences:
        for change in data_changes(revision.trial):
            yield Found(f"It changes the schema, and the rows of {change.table}: {change.sql}", change.line)


RULE = Rule(
    "schema-and-data",
    "The locks of the schema change are held for as long as the rows take.",
    "An UPDATE of a large table takes minutes, and a failure takes both back.",
    "three revisions: add, fill (op.backfill), enforce",
    _check,
)
