"""The compatibility window: at which revisions of the database can code serve that was built for another one?

All that the code has and the database lacks must be contract: the new release starts before the contract. All that the
database has and the code lacks must be expand: the old release goes on, one expand ahead.
"""

from collections.abc import Iterable, Mapping

from alembic_online.releases.phase import Phase, Step, below
from alembic_online.text import listed


def why_not(steps: Mapping[str, Step], built_for: Iterable[str], current: Iterable[str]) -> str:
    """Why code that was built for these heads cannot serve a database at `current`, a sentence; empty where it can."""
    wanted, there = below(steps, built_for), below(steps, current)
    unknown = sorted((wanted | there) - steps.keys())
    if unknown:
        return f"Neither the files nor the database know {listed(unknown, ' and ')}."
    if lacking := _others(steps, wanted - there, Phase.CONTRACT):
        return f"The database lacks {listed(lacking)}, which the code needs."
    if taken := _others(steps, there - wanted, Phase.EXPAND):
        return f"The database has {_in_words(steps, taken)}, which the code does not know."
    return ""


def _others(steps: Mapping[str, Step], revisions: Iterable[str], phase: Phase) -> list[str]:
    """Those of another phase, or of none."""
    return sorted(each for each in revisions if steps[each].phase is not phase)


def _in_words(steps: Mapping[str, Step], revisions: Iterable[str]) -> str:
    return listed(f"{each} ({steps[each].phase or 'which says no phase'})" for each in revisions)
