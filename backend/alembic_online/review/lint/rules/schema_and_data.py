"""schema-and-data: schema and rows are changed in one revision.

But for the rows that hold NULL in a column that was there and becomes NOT NULL: they are what the change is about.
"""

from collections.abc import Iterator

from alembic_online.postgres.catalogue import Attribute, Kind
from alembic_online.recipes.names import plain
from alembic_online.review.lint.data_changes import DataChange, data_changes
from alembic_online.review.lint.executed_revision import Trial
from alembic_online.review.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    if revision.trial and revision.trial.differences:
        for change in data_changes(revision.trial):
            if change.fills and _becomes_not_null(change, revision.trial):
                continue
            yield Found(f"It changes the schema, and the rows of {change.table}: {change.sql}", change.line)


def _becomes_not_null(change: DataChange, trial: Trial) -> bool:
    place = (plain(change.table).rpartition(".")[2], plain(change.column))
    changed = (each for each in trial.differences if each.identity.kind is Kind.COLUMN and each.change == "changed")
    return any(
        (each.identity.table, each.identity.name) == place and each.attribute == Attribute.NOT_NULL for each in changed
    )


RULE = Rule(
    "schema-and-data",
    "The locks of the schema change are held for as long as the rows take.",
    "An UPDATE of a large table takes minutes, and a failure takes both back.",
    "three revisions: add, fill (op.backfill), enforce",
    _check,
)
