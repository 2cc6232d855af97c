"""Ids of revisions: `NNN_slug`, the same in the file's name and inside it."""

import re
import unicodedata
from collections.abc import Iterable

from src.safety.errors import RequestRefused

# alembic_version.version_num is varchar(32): a longer id would fail when it is stamped.
LONGEST_ID = 32
_NUMBER = re.compile(r"(\d+)_")


def next_revision_id(message: str | None, taken: Iterable[str]) -> str:
    """The id after the highest number in `taken`. Raises `RequestRefused` for a message that says nothing."""
    slug = slugify(message or "")
    if not slug:
        raise RequestRefused(
            "A revision needs a message that says what it changes.", 'Write: alembic revision -m "add something"'
        )
    numbers = [int(match[1]) for revision in taken if (match := _NUMBER.match(revision))]
    prefix = f"{max(numbers, default=0) + 1:03d}_"
    return prefix + _shorten(slug, LONGEST_ID - len(prefix))


def slugify(message: str) -> str:
    """Lower case words joined by underscores, accents taken off: `Ajoute l'été` becomes `ajoute_l_ete`."""
    decomposed = unicodedata.normalize("NFKD", message.casefold())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return "_".join(re.findall(r"[^\W_]+", plain))


def check_id(revision: str) -> None:
    """Raises `RequestRefused` for an id, given by --rev-id, that could not be stamped."""
    if len(revision) > LONGEST_ID:
        raise RequestRefused(
            f"The revision id {revision!r} has {len(revision)} characters, and alembic_version holds {LONGEST_ID}.",
            "Give a shorter --rev-id, or leave it out.",
        )


def _shorten(slug: str, length: int) -> str:
    """Cut `slug` at the last whole word that fits, or inside its only word."""
    if len(slug) <= length:
        return slug
    return slug[: length + 1].rpartition("_")[0] or slug[:length]
