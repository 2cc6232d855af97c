"""phase: a revision says that the release before does not notice it, and it would."""

from collections.abc import Iterator

from alembic_online.releases.breaks import breaks
from alembic_online.releases.phase import Phase
from alembic_online.review.lint.rule import Found, Revision, Rule


def _check(revision: Revision) -> Iterator[Found]:
    trial = revision.trial
    if not revision.expects_phase or trial is None or trial.failed.startswith("upgrade"):
        return
    found = list(breaks(trial.before.catalogue, trial.after.catalogue))
    if revision.phase is None:
        phase = Phase.CONTRACT if found else Phase.EXPAND
        because = f": the {found[0]}" if found else ", for nothing that was there goes or is ruled otherwise."
        yield Found(f"It says no phase. It is {phase}{because}", remedy=f'phase = "{phase}"')
    elif revision.phase is Phase.EXPAND:
        for each in found:
            line = trial.line_of(*filter(None, (each.identity.table, each.identity.name)))
            yield Found(f"It says that it is expand, and the {each}", line)


RULE = Rule(
    "phase",
    "The release before fails while both are connected, for nobody waits until it is gone.",
    "The phase is what an upgrade waits by, and what an older release judges by whether it can go on.",
    'phase = "contract", in a revision of its own',
    _check,
)
