"""undo: the downgrade brings back exactly the schema that was there."""

from collections.abc import Iterator

from alembic_online.postgres.catalogue import describe
from alembic_online.review.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    if revision.trial and revision.trial.left:
        line = revision.source.functions["downgrade"].lineno if "downgrade" in revision.source.functions else 1
        yield Found(f"After its downgrade differs from before:\n{describe(revision.trial.left)}", line)


RULE = Rule(
    "undo",
    "The downgrade leaves something behind, or takes away too much: the next upgrade fails, or databases differ.",
    "It was run on a scratch database, and the catalogue compared before and after.",
    "downgrade() undoes each operation of upgrade(), last one first; autogenerate writes both",
    _check,
)
