"""recorded: a statement that the release beside it was recorded with fails after it, or gives something else."""

from collections.abc import Iterator

from alembic_online.review.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    for each in revision.replayed:
        yield Found(str(each))


RULE = Rule(
    "recorded",
    "Code that runs while the revision is deployed, or right after it, gets errors or other rows.",
    "These are the statements that its own tests have made (alembic-online record), on made-up rows and theirs.",
    'the change in two revisions, the one that takes away with phase = "contract"; or the code no longer makes the'
    " statement: alembic-online record -- pytest",
    _check,
)
