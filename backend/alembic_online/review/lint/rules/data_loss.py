"""data-loss: the upgrade destroys what people have entered."""

from collections.abc import Iterator

from alembic_online.postgres.catalogue import Kind
from alembic_online.review.lint.data_changes import data_changes
from alembic_online.review.lint.removed import removed, renamed
from alembic_online.review.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    if (trial := revision.trial) is None:
        return
    for identity in removed(trial):
        if "generated" not in trial.before.catalogue[identity].attributes and not renamed(trial, identity.name):
            what = f"column {identity.table}.{identity.name}" if identity.kind is Kind.COLUMN else str(identity.name)
            yield Found(f"It drops {what} with all that it holds.", trial.line_of(identity.table, identity.name))
    for change in data_changes(trial):
        if change.verb in ("DELETE FROM", "TRUNCATE"):
            yield Found(f"It deletes rows of {change.table}: {change.sql}", change.line)
    for each in trial.cut:
        yield Found(f"{each}: values are rounded or cut.", trial.line_of(each.identity.table, each.identity.name))
    for each in trial.differences:
        if each.identity.kind is Kind.COLUMN and each.attribute == "generated" and each.before is None:
            line = trial.line_of(each.identity.table, each.identity.name)
            yield Found(f"{each}: what it holds goes, and is computed from now on.", line)


RULE = Rule(
    "data-loss",
    "What is gone can only be had back from a backup; a downgrade brings back an empty column.",
    "Nothing in the revision says that somebody thought of it.",
    "# lint: allow data-loss because WHY NOBODY NEEDS IT",
    _check,
)
