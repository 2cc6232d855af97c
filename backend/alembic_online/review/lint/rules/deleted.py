"""deleted: a revision that has landed is gone."""

from collections.abc import Iterator

from alembic_online.review.lint.rule import Found, Revision, Rule


def _check(_: Revision) -> Iterator[Found]:
    return iter(())  # nothing is left to look at: `check.missing` finds it among what the main branch has


RULE = Rule(
    "deleted",
    "A database that ran it is at a revision that this code does not know: it goes neither up nor down.",
    "What is on the main branch may be applied anywhere.",
    "git checkout MAIN -- FILE; what it did is taken back by a new revision, and old ones are put together by squash",
    _check,
)
