"""One thing that was looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How it is."""

    FINE = "fine"
    NOTE = "note"
    """Worth knowing; nothing has to be done."""
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """`about` names what was looked at, `words` say how it is, `remedy` what to do."""

    about: str
    level: Level
    words: str
    remedy: str = ""


def fine(about: str, words: str) -> Finding:
    """Nothing to do."""
    return Finding(about, Level.FINE, words)


def note(about: str, words: str, remedy: str = "") -> Finding:
    """Good to know."""
    return Finding(about, Level.NOTE, words, remedy)


def wrong(about: str, words: str, remedy: str) -> Finding:
    """Something to mend."""
    return Finding(about, Level.WRONG, words, remedy)
