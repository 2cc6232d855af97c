"""Ids of revisions: `NNN_slug`, the same in the file's name and inside it."""

import re
import unicodedata
from collections.abc import Collection, Iterable

from alembic_online.errors import RequestRefused

# alembic_version.version_num is varchar(32): a longer id would fail when it is stamped.
LONGEST_ID = 32
# Dates and ids that happen to be all digits are longer: 20260131_books, 699221885110_books.
NUMBERED = re.compile(r"(\d{1,5})_(\w+)")


def next_revision_id(message: str | None, taken: Iterable[str]) -> str:
    """The id after the highest number in `taken`. Raises `RequestRefused` for a message that says nothing."""
    slug = check_message(message)
    numbers = [int(match[1]) for revision in taken if (match := NUMBERED.match(revision))]
    prefix = f"{max(numbers, default=0) + 1:03d}_"
    return prefix + _shorten(slug, LONGEST_ID - len(prefix))


def check_message(message: str | None) -> str:
    """The slug of a message that says something. Raises `RequestRefused` for one that does not."""
    if slug := slugify(message or ""):
        return slug
    raise RequestRefused(
        "A revision needs a message that says what it changes.", 'Write: alembic revision -m "add something"'
    )


def slugify(message: str) -> str:
    """Lower case words joined by underscores, accents taken off: `Ajoute l'été` becomes `ajoute_l_ete`."""
    decomposed = unicodedata.normalize("NFKD", message.casefold())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return "_".join(re.findall(r"[^\W_]+", plain))


def check_id(revision: str, taken: Collection[str]) -> None:
    """Raises `RequestRefused` for an id, given by --rev-id, that is taken, no file name, or too long to be stamped."""
    if not re.fullmatch(r"\w+", revision):
        raise RequestRefused(
            f"The revision id {revision!r} is not a name of letters, digits and underscores.",
            "Give another --rev-id, or leave it out.",
        )
    if revision in taken:
        raise RequestRefused(f"There is a revision {revision!r} already.", "Give another --rev-id, or leave it out.")
    longest = max([LONGEST_ID, *map(len, taken)])  # a chain with long ids has a column for them
    if len(revision) > longest:
        raise RequestRefused(
            f"The revision id {revision!r} has {len(revision)} characters, and alembic_version holds {longest}.",
            "Give a shorter --rev-id, or leave it out.",
        )


def _shorten(slug: str, length: int) -> str:
    """Cut `slug` at the last whole word that fits, or inside its only word."""
    if len(slug) <= length:
        return slug
    return slug[: length + 1].rpartition("_")[0] or slug[:length]
