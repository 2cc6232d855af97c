"""How sequences start, step and end, also those of identity columns: what is stated, and what PostgreSQL takes else."""

from collections.abc import Iterable, Iterator

from alembic_online.postgres.catalogue import CatalogueObject

OPTIONS = {
    "start": "start",
    "increment": "increment",
    "minimum": "minvalue",
    "maximum": "maxvalue",
    "cache": "cache",
    "cycle": "cycle",
}
"""The catalogue's names, and those of `sa.Identity`."""

_WORDS = {
    "increment": "INCREMENT BY",
    "minimum": "MINVALUE",
    "maximum": "MAXVALUE",
    "start": "START WITH",
    "cache": "CACHE",
}
_LAST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


def option(entry: CatalogueObject, name: str, prefix: str = "") -> int:
    """An option, or its default for the type and the direction; 0 and 1 for `cycle`."""
    stated = entry.attributes.get(f"{prefix}{name}")
    if stated is not None:
        return int(stated)  # type: ignore[arg-type]  # a number in every catalogue
    if name in ("increment", "cache", "cycle"):
        return int(name != "cycle")
    last, ascends = _LAST[str(entry.attributes["type"])], option(entry, "increment", prefix) > 0
    if name == "start":
        return option(entry, "minimum" if ascends else "maximum", prefix)
    if name == "minimum":
        return 1 if ascends else -last - 1
    return last if ascends else -1


def words(entry: CatalogueObject, names: Iterable[str], prefix: str = "") -> list[str]:
    """`INCREMENT BY 5`, `NO CYCLE`, ... for CREATE and ALTER SEQUENCE."""
    found = [f"{word} {option(entry, name, prefix)}" for name, word in _WORDS.items() if name in names]
    if "cycle" in names:
        found.append("CYCLE" if option(entry, "cycle", prefix) else "NO CYCLE")
    return found


def altered_words(before: CatalogueObject, after: CatalogueObject, prefix: str = "") -> list[str]:
    """The words for what differs, once the defaults are filled in. RESTART where no value of before suits."""
    changed = [
        name
        for name in OPTIONS
        if option(before, name, prefix) != option(after, name, prefix) and not _follows(before, after, prefix + name)
    ]
    restart = ["RESTART"] if _apart(before, after, prefix) else []
    return words(after, changed, prefix) + restart


def moves(before: CatalogueObject, after: CatalogueObject, sequence: str, prefix: str = "") -> Iterator[str]:
    """The statements that lead a sequence into its new limits if it stands outside of them: PostgreSQL refuses to alter
    it else. `sequence` is an SQL expression of its name."""
    if _apart(before, after, prefix):
        return
    least, most = option(after, "minimum", prefix), option(after, "maximum", prefix)
    place = "coalesce(pg_sequence_last_value(s), (SELECT seqstart FROM pg_sequence WHERE seqrelid = s))"
    if option(before, "minimum", prefix) < least:
        yield f"SELECT setval(s, {least}, false) FROM CAST({sequence} AS regclass) AS s WHERE {place} < {least}"
    if option(before, "maximum", prefix) > most:
        yield f"SELECT setval(s, {most}) FROM CAST({sequence} AS regclass) AS s WHERE {place} > {most}"


def _follows(before: CatalogueObject, after: CatalogueObject, name: str) -> bool:
    """Whether PostgreSQL changes a limit by itself: with the type, where nobody had stated it."""
    other_type = before.attributes["type"] != after.attributes["type"]
    return other_type and name not in before.attributes and name not in after.attributes


def _apart(before: CatalogueObject, after: CatalogueObject, prefix: str) -> bool:
    """Whether the limits before and those after have no number in common."""
    return option(after, "minimum", prefix) > option(before, "maximum", prefix) or option(
        after, "maximum", prefix
    ) < option(before, "minimum", prefix)
