"""comes-back: something is dropped and committed, and made again later in the same revision."""

from collections.abc import Iterator

from alembic_online.review.lint.rule import Found, Revision, Rule
from alembic_online.review.plan.availability_gaps import in_words, missed


def _check(revision: Revision) -> Iterator[Found]:
    if revision.trial is not None:
        for traced in (revision.trial.upgrade, revision.trial.downgrade):
            for statement, each in missed(traced):
                yield Found(f"Clients miss {in_words(each)} from here until it is made again: {statement.sql[:100]}")


RULE = Rule(
    "comes-back",
    "Inserts fail for want of a default, queries for want of a view, and wrong rows get in, for as long as it is gone.",
    "What stands between the two commits: rows are changed, the revision reads, or it needs what was made before.",
    "the two next to each other, with the rows changed, or the index built, before them: then they are one transaction",
    _check,
)
