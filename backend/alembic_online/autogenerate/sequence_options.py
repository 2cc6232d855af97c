"""How sequences start, step and end, also those of identity columns: what is stated, and what PostgreSQL takes else."""

from collections.abc import Iterable, Iterator

from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Kind

OPTIONS = {
    Attribute.START: "start",
    Attribute.INCREMENT: "increment",
    Attribute.MINIMUM: "minvalue",
    Attribute.MAXIMUM: "maxvalue",
    Attribute.CACHE: "cache",
    Attribute.CYCLE: "cycle",
}
"""The catalogue's names, and those of `sa.Identity`."""

_WORDS = {
    Attribute.INCREMENT: "INCREMENT BY",
    Attribute.MINIMUM: "MINVALUE",
    Attribute.MAXIMUM: "MAXVALUE",
    Attribute.START: "START WITH",
    Attribute.CACHE: "CACHE",
}
_LAST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


def of_identity(option: Attribute) -> Attribute:
    """The attribute of a column whose identity has this option."""
    return Attribute(f"{Attribute.IDENTITY} {option}")


def option(entry: CatalogueObject, name: Attribute) -> int:
    """An option of a sequence or of a column's identity, or its default for the type and the direction.

    0 and 1 for `cycle`.
    """
    if entry.has(stated := _stated(entry, name)):
        return int(entry.text(stated)) if name is not Attribute.CYCLE else 1
    if name in (Attribute.INCREMENT, Attribute.CACHE, Attribute.CYCLE):
        return int(name is not Attribute.CYCLE)
    last, ascends = _LAST[entry.text(Attribute.TYPE)], option(entry, Attribute.INCREMENT) > 0
    if name is Attribute.START:
        return option(entry, Attribute.MINIMUM if ascends else Attribute.MAXIMUM)
    if name is Attribute.MINIMUM:
        return 1 if ascends else -last - 1
    return last if ascends else -1


def _stated(entry: CatalogueObject, name: Attribute) -> Attribute:
    return of_identity(name) if entry.kind is Kind.COLUMN else name


def words(entry: CatalogueObject, names: Iterable[Attribute]) -> list[str]:
    """`INCREMENT BY 5`, `NO CYCLE`, ... for CREATE and ALTER SEQUENCE."""
    found = [f"{word} {option(entry, name)}" for name, word in _WORDS.items() if name in names]
    if Attribute.CYCLE in names:
        found.append("CYCLE" if option(entry, Attribute.CYCLE) else "NO CYCLE")
    return found


def altered_words(before: CatalogueObject, after: CatalogueObject) -> list[str]:
    """The words for what differs, once the defaults are filled in. RESTART where no value of before suits."""
    changed = [
        name for name in OPTIONS if option(before, name) != option(after, name) and not _follows(before, after, name)
    ]
    restart = ["RESTART"] if _apart(before, after) else []
    return words(after, changed) + restart


def moves(before: CatalogueObject, after: CatalogueObject, sequence: str) -> Iterator[str]:
    """The statements that lead a sequence into its new limits if it stands outside of them: PostgreSQL refuses to alter
    it else. `sequence` is an SQL expression of its name."""
    if _apart(before, after):
        return
    least, most = option(after, Attribute.MINIMUM), option(after, Attribute.MAXIMUM)
    place = "coalesce(pg_sequence_last_value(s), (SELECT seqstart FROM pg_sequence WHERE seqrelid = s))"
    if option(before, Attribute.MINIMUM) < least:
        yield f"SELECT setval(s, {least}, false) FROM CAST({sequence} AS regclass) AS s WHERE {place} < {least}"
    if option(before, Attribute.MAXIMUM) > most:
        yield f"SELECT setval(s, {most}) FROM CAST({sequence} AS regclass) AS s WHERE {place} > {most}"


def _follows(before: CatalogueObject, after: CatalogueObject, name: Attribute) -> bool:
    """Whether PostgreSQL changes a limit by itself: with the type, where nobody had stated it."""
    other_type = before.attributes[Attribute.TYPE] != after.attributes[Attribute.TYPE]
    return other_type and not any(entry.has(_stated(entry, name)) for entry in (before, after))


def _apart(before: CatalogueObject, after: CatalogueObject) -> bool:
    """Whether the limits before and those after have no number in common."""
    least, most = (option(after, name) for name in (Attribute.MINIMUM, Attribute.MAXIMUM))
    return least > option(before, Attribute.MAXIMUM) or most < option(before, Attribute.MINIMUM)
