"""How two catalogues differ: a `Difference` for each object that came or went, and each attribute that changed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from alembic_online.postgres.catalogue import Attribute, words
from alembic_online.postgres.catalogue.model import Catalogue, CatalogueObject, Identity, Kind, Value

_RANK = {kind: rank for rank, kind in enumerate(Kind)}
_WITH_PARTS = frozenset(
    {Kind.TABLE, Kind.FOREIGN_TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.COMPOSITE, Kind.DOMAIN, Kind.COLUMN}
)
_WITH_TYPES = frozenset({Kind.FUNCTION, Kind.PROCEDURE, Kind.AGGREGATE, Kind.OPERATOR, Kind.CAST})


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `attribute`, `before` and `after` are None for an object that was added or removed as a whole;
    `before` or `after` is None where the attribute was not stated. Two catalogues do not tell that something was
    renamed; who knows it says so: `before` is the name that it had, or those of a label are both. Where `after` is how
    it ought to be, what is to be added is "missing", and what is to be removed "should not be there"."""

    identity: Identity
    change: Literal["added", "removed", "changed", "renamed", "missing", "should not be there"]
    attribute: Attribute | None = None
    before: Value | None = None
    after: Value | None = None

    def __str__(self) -> str:
        """One line: `chapters: column title: type varchar(255) -> text`."""
        kind, schema, table, name = self.identity
        if table:
            return f"{words.qualified(schema, table)}: {kind} {name}: {self._what()}"
        return f"{kind} {words.qualified(schema, words.short(name) if kind in _WITH_TYPES else name)}: {self._what()}"

    def lines(self) -> list[str]:
        """The words for a place where the table is named already, with a short diff below for a long definition."""
        name = f"{self.identity.kind} {self.identity.name}" if self.identity.table else str(self.identity.kind)
        diff = words.diff(self.before, self.after) if self.change == "changed" else []
        return [f"{name}: {self._what()}", *(f"  {line}" for line in diff)]

    def _what(self) -> str:
        if self.change == "renamed":
            return (
                f"{self.attribute} {self.before} renamed to {self.after}"
                if self.attribute
                else f"renamed from {self.before}"
            )
        if self.attribute is None:
            return self.change
        return words.change(self.attribute, self.before, self.after)


def compare(
    before: Catalogue, after: Catalogue, *, owners: bool = False, column_order: bool = False
) -> list[Difference]:
    """List what differs, by schema and table, then kind, then name.

    What comes or goes with its parent is not listed beside it: a new table's columns, the index of a new constraint.
    `owners` compares who owns what; `column_order` compares the order of the columns that both have (their numbers have
    gaps after a drop and are never compared).
    """
    differences = [
        *_appeared(before, after, "removed"),
        *_appeared(after, before, "added"),
        *_all_changed(before, after, owners),
        *(_reordered(before, after) if column_order else ()),
    ]
    return sorted(differences, key=_place)


def describe(differences: Iterable[Difference]) -> str:
    """All differences as text, a line each, those of a table or type with parts below its name. Empty for none."""
    lines = []
    for header, group in groupby(sorted(differences, key=_place), key=_header):
        if header:
            lines += [header, *(f"  {line}" for difference in group for line in difference.lines())]
            continue
        for difference in group:
            lines += [str(difference), *difference.lines()[1:]]
    return "\n".join(lines)


def _appeared(there: Catalogue, not_there: Catalogue, change: Literal["added", "removed"]) -> Iterator[Difference]:
    for identity in there.keys() - not_there.keys():
        parent = there[identity].parent
        if parent is None or (parent in not_there and not _new_view_column(there, not_there, parent)):
            yield Difference(identity, change)


def _new_view_column(there: Catalogue, not_there: Catalogue, parent: Identity) -> bool:
    # A view's columns come and go with its definition, which is listed.
    definitions = (catalogue[parent].attributes.get(Attribute.DEFINITION) for catalogue in (there, not_there))
    return parent.kind in (Kind.VIEW, Kind.MATERIALIZED_VIEW) and len(set(definitions)) == 2


def _all_changed(before: Catalogue, after: Catalogue, owners: bool) -> Iterator[Difference]:
    both = before.keys() & after.keys()
    changes = {identity: list(_changed(before[identity], after[identity], owners)) for identity in both}
    for identity, differences in changes.items():
        parent = after[identity].parent
        above = {difference.attribute for difference in changes.get(parent, ())} if parent else set()
        yield from (difference for difference in differences if not _follows(difference, parent, above))


def _follows(difference: Difference, parent: Identity | None, above: set[Attribute | None]) -> bool:
    """Whether a change is nothing but the echo of a change of the parent, which is listed."""
    if difference.attribute in (Attribute.DEFINITION, Attribute.PRIMARY, Attribute.UNIQUE):
        return parent is not None and parent.kind is Kind.CONSTRAINT and Attribute.DEFINITION in above
    return difference.attribute in (Attribute.INHERITED, Attribute.PART_OF) and bool(
        above & {Attribute.INHERITS, Attribute.PARTITION}
    )


def _changed(before: CatalogueObject, after: CatalogueObject, owners: bool) -> Iterator[Difference]:
    if before.attributes == after.attributes:
        return
    old, new = _compared(before, owners), _compared(after, owners)
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield Difference(before.identity, "changed", name, old.get(name), new.get(name))


def _compared(entry: CatalogueObject, owners: bool) -> Mapping[Attribute, Value]:
    if owners and entry.has(Attribute.OWNER):
        return {**entry.compared, Attribute.OWNER: entry.attributes[Attribute.OWNER]}
    return entry.compared


def _reordered(before: Catalogue, after: Catalogue) -> Iterator[Difference]:
    old, new = _columns(before), _columns(after)
    for table in old.keys() & new.keys():
        was = tuple(name for name in old[table] if name in new[table])
        now = tuple(name for name in new[table] if name in old[table])
        if was != now:
            yield Difference(table, "changed", Attribute.COLUMN_ORDER, was, now)


def _columns(catalogue: Catalogue) -> dict[Identity, list[str]]:
    columns = [entry for entry in catalogue.values() if entry.kind is Kind.COLUMN]
    tables: dict[Identity, list[str]] = {}
    for column in sorted(columns, key=lambda entry: int(entry.text(Attribute.POSITION))):
        if column.parent is not None:
            tables.setdefault(column.parent, []).append(column.name)
    return tables


def _place(difference: Difference) -> tuple[str, str, bool, int, str, str]:
    kind, schema, table, name = difference.identity
    return schema, table or name, bool(table), _RANK[kind], name, difference.attribute or ""


def _header(difference: Difference) -> str:
    kind, schema, table, name = difference.identity
    return words.qualified(schema, table or name) if table or kind in _WITH_PARTS else ""
