"""Values of a catalogue in words: short, without the default schema, and only what changed."""

import difflib
import re

from alembic_online.postgres.catalogue.attributes import Attribute
from alembic_online.postgres.catalogue.model import Value

DEFAULT_SCHEMA = "public"
LONGEST_LINE = 160
"""A change of definitions that would take more characters than this on one line is shown as a diff."""

CONTEXT = 2
"""How many equal words stay on each side of the words that differ."""

_DEFAULT_IF_ABSENT = frozenset(
    {
        Attribute.ACCESS_METHOD,
        Attribute.CACHE,
        Attribute.COLLATION,
        Attribute.COMPRESSION,
        Attribute.FIRING,
        Attribute.INCREMENT,
        Attribute.MAXIMUM,
        Attribute.MINIMUM,
        Attribute.REPLICA_IDENTITY,
    }
    | {
        Attribute.IDENTITY_CACHE,
        Attribute.IDENTITY_INCREMENT,
        Attribute.IDENTITY_MAXIMUM,
        Attribute.IDENTITY_MINIMUM,
        Attribute.IDENTITY_START,
        Attribute.START,
    }
    | {
        Attribute.STATISTICS_TARGET,
        Attribute.STORAGE,
        Attribute.SUBTYPE_COLLATION,
        Attribute.SUBTYPE_OPERATOR_CLASS,
        Attribute.TABLESPACE,
        Attribute.TARGET,
    }
)
_IN_ORDER = frozenset({Attribute.LABELS, Attribute.INHERITS, Attribute.COLUMN_ORDER})
_REVOKED = "no "
"""How a privilege begins that the default grants and this object does not."""
_SHORT_TYPES = (
    (r"\bcharacter varying\b", "varchar"),
    (r"\bcharacter\b", "char"),
    (r"\btimestamp(\(\d\))? with time zone\b", r"timestamptz\1"),
    (r"\btime(\(\d\))? with time zone\b", r"timetz\1"),
    (r"\b(timestamp|time)(\(\d\))? without time zone\b", r"\1\2"),
)


def qualified(schema: str, name: str) -> str:
    """`chapters` in the default schema, `archive.chapters` in another."""
    return name if schema in ("", DEFAULT_SCHEMA) else f"{schema}.{name}"


def change(attribute: str, before: Value | None, after: Value | None) -> str:
    """`type varchar(255) -> text`, `privileges added SELECT to app`, `definition changed` (then there is a `diff`)."""
    if attribute == Attribute.PRIVILEGES:
        return f"{attribute} {_privileges(set(_tuple(before)), set(_tuple(after)))}"
    if isinstance(before, tuple) or isinstance(after, tuple):
        return f"{attribute} {_items(attribute, _tuple(before), _tuple(after))}"
    if _is_long(before, after):
        return f"{attribute} changed"
    if isinstance(before, bool) or isinstance(after, bool):
        return f"{attribute} {_yes(before)} -> {_yes(after)}"
    old, new = _shown(attribute, before, after)
    return f"{attribute} {old} -> {new}"


def diff(before: Value | None, after: Value | None) -> list[str]:
    """The lines that differ between two long definitions, one unchanged line around them; none for short ones."""
    if not _is_long(before, after):
        return []
    old, new = str(before or "").splitlines(), str(after or "").splitlines()
    return [line.rstrip() for line in difflib.unified_diff(old, new, n=1, lineterm="")][2:]


def _is_long(before: Value | None, after: Value | None) -> bool:
    if not isinstance(before, str) or not isinstance(after, str):
        return False
    old, new = _differing(before, after)
    return "\n" in before + after or len(old) + len(new) > LONGEST_LINE


def _shown(attribute: str, before: Value | None, after: Value | None) -> tuple[str, str]:
    if attribute == Attribute.COMMENT:
        return _quoted(before), _quoted(after)
    absent = "default" if attribute in _DEFAULT_IF_ABSENT else "none"
    full = tuple(absent if value is None else str(value) for value in (before, after))
    old, new = (short(text) for text in full)
    if old == new:  # They differ in what was shortened away.
        old, new = full
    return _differing(old, new)


def short(text: str) -> str:
    """A text of PostgreSQL as people write it: `varchar(255)`, `timestamptz`, and no `public.`."""
    for pattern, replacement in _SHORT_TYPES:
        text = re.sub(pattern, replacement, text)
    return re.sub(rf'(?<![\w."]){DEFAULT_SCHEMA}\.(?=\S)', "", text)


def _quoted(value: Value | None) -> str:
    return "none" if value is None else f"'{value}'"


def _yes(value: Value | None) -> str:
    return "yes" if value else "no"


def _differing(before: str, after: str) -> tuple[str, str]:
    """Cut the words that two long texts begin and end with alike, but for a few."""
    if len(before) + len(after) <= LONGEST_LINE // 2:
        return before, after
    old, new = before.split(" "), after.split(" ")
    start = _alike(old, new)
    end = _alike(old[start:][::-1], new[start:][::-1])
    start, end = max(0, start - CONTEXT), max(0, end - CONTEXT)
    return _middle(old, start, end), _middle(new, start, end)


def _alike(old: list[str], new: list[str]) -> int:
    return next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))


def _middle(words: list[str], start: int, end: int) -> str:
    return " ".join([*(["..."] if start else []), *words[start : len(words) - end], *(["..."] if end else [])])


def _tuple(value: Value | None) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _items(attribute: str, before: tuple[str, ...], after: tuple[str, ...]) -> str:
    if attribute in _IN_ORDER and sorted(before) == sorted(after):
        return f"{', '.join(before)} -> {', '.join(after)}"
    gone = [item for item in before if item not in after]
    new = [_placed(attribute, after, item) for item in after if item not in before]
    return _listed({"removed": gone, "added": new})


def _listed(lists: dict[str, list[str]]) -> str:
    return "; ".join(f"{word} {short(', '.join(items))}" for word, items in lists.items() if items)


def _privileges(before: set[str], after: set[str]) -> str:
    came, went = after - before, before - after
    granted = {item for item in came if not item.startswith(_REVOKED)} | _without_default(went)
    revoked = {item for item in went if not item.startswith(_REVOKED)} | _without_default(came)
    return _listed({"granted": sorted(granted), "revoked": sorted(item.replace(" to ", " from ") for item in revoked)})


def _without_default(privileges: set[str]) -> set[str]:
    return {item.removeprefix(_REVOKED) for item in privileges if item.startswith(_REVOKED)}


def _placed(attribute: str, items: tuple[str, ...], item: str) -> str:
    if attribute != Attribute.LABELS:
        return item
    place = items.index(item)
    return f"{item} after {items[place - 1]}" if place else f"{item} first"
