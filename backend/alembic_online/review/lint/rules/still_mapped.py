"""still-mapped: what is dropped or renamed is used by the code that runs meanwhile."""

from collections.abc import Iterator

from alembic_online.postgres.catalogue import Kind
from alembic_online.releases.phase import Phase
from alembic_online.review.lint.removed import removed
from alembic_online.review.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    trial = revision.trial
    if revision.expects_phase and revision.phase is Phase.CONTRACT:
        return  # it waits until that code is gone
    gone = list(removed(trial)) if trial else []
    mapped = revision.mapped() if gone else None
    for identity in gone:
        assert trial is not None, "something is gone from it"
        schema = "" if identity.schema == trial.before.default else identity.schema
        is_column = identity.kind is Kind.COLUMN
        key = (schema, identity.table, identity.name) if is_column else (schema, identity.name, "")
        if mapped is None or key in mapped:
            what = f"column {identity.table}.{identity.name}" if is_column else f"table {identity.name}"
            why = "the models of the main branch map it" if mapped else "no main branch shows that its models do not"
            line = trial.line_of(identity.table, identity.name)
            yield Found(f"The {what} goes, or gets another name, and {why}.", line)


RULE = Rule(
    "still-mapped",
    "The code that runs while this is deployed fails on each query of the table.",
    "Old code and new schema live side by side for a while, and a mapped column is named in each SELECT.",
    "first a release whose models no longer map it, then the revision that drops it",
    _check,
)
