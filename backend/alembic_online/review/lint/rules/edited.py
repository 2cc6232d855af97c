"""edited: a revision is another one than that which has landed."""

from collections.abc import Iterator

from alembic_online.review.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    if revision.edited:
        yield Found(f"It is not the one {revision.edited}.")


RULE = Rule(
    "edited",
    "Databases that ran the former text differ from those that will run this one.",
    "A revision runs once in each database, and nobody runs it again.",
    "undo the edit (git log -p), and write the change as a new revision",
    _check,
)
