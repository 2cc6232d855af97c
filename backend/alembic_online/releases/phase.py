"""What a revision says of the releases before it: that they do not notice, or that they must be gone.

    phase = "expand"        # the schema only gets more
    phase = "contract"      # something goes that a release before this revision may use

A file that says neither waits for older releases, and not for sessions that say nothing; nobody counts on it.
A merge changes nothing, so it is `expand`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from alembic.script import Script, ScriptDirectory

from alembic_online.alembic_seam import dependencies_of, parents_of
from alembic_online.errors import BrokenChain

NAME = "phase"
"""Of the variable in a revision file."""


class Phase(StrEnum):
    """Of a revision."""

    EXPAND = "expand"
    CONTRACT = "contract"


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be known of a revision without its file."""

    parents: tuple[str, ...]
    """Also those that it depends on."""
    phase: Phase | None
    """None where it says none."""


def says_phase(script: Script) -> bool:
    """Whether the file has the word."""
    return hasattr(script.module, NAME)


def said_phase(script: Script) -> Phase | None:
    """What the file says. Raises `BrokenChain` for a word that is no phase."""
    said = getattr(script.module, NAME, None)
    if said is None:
        return Phase.EXPAND if script.is_merge_point else None
    try:
        return Phase(said)
    except ValueError as error:
        raise BrokenChain(
            f"{script.revision} says that its phase is {said!r}.", f'Write {NAME} = "expand" or {NAME} = "contract".'
        ) from error


def steps_of(scripts: ScriptDirectory) -> dict[str, Step]:
    """Every revision of the files."""
    return {
        script.revision: Step((*parents_of(script), *dependencies_of(script)), said_phase(script))
        for script in scripts.walk_revisions()
    }


def heads_of(steps: Mapping[str, Step]) -> set[str]:
    """Those that no other one stands on or depends on."""
    return steps.keys() - {parent for step in steps.values() for parent in step.parents}


def below(steps: Mapping[str, Step], revisions: Iterable[str]) -> set[str]:
    """These and all that must be applied before them, as far as they are known."""
    found: set[str] = set()
    waiting = list(revisions)
    while waiting:
        if (each := waiting.pop()) not in found:
            found.add(each)
            waiting += steps[each].parents if each in steps else ()
    return found
