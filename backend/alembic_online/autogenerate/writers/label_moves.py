"""Labels of an enum that go while rows hold them: what the models say that they become."""

from collections.abc import Mapping, Sequence

from alembic_online.autogenerate.writers.writer import literal


def moves(before: Sequence[str], after: Sequence[str], merged: Mapping[str, str]) -> dict[str, str]:
    """What becomes of the labels that go. On the way back one becomes the first of those that it was made of."""
    found = {}
    for gone in (label for label in before if label not in after):
        sources = [old for old, new in merged.items() if new == gone]
        new = next((label for label in (merged.get(gone), *sources) if label in after), None)
        if new is not None:
            found[gone] = new
    return found


def moved(value: str, ways: Mapping[str, str], *, array: bool) -> str:
    """The SQL of a text, or an array of texts, with its labels moved."""
    if not ways:
        return value
    if array:
        for old, new in ways.items():
            value = f"array_replace({value}, {literal(old)}, {literal(new)})"
        return value
    cases = " ".join(f"WHEN {literal(old)} THEN {literal(new)}" for old, new in ways.items())
    return f"(CASE {value} {cases} ELSE {value} END)"
