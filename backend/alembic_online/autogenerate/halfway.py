"""The schema between the two revisions of a pair: it serves the release before and the one after.

    live ──► halfway ──► wanted
      expand     contract

It is what the models say, but for what a release before would miss: that is left as it was. A column that stays, and is
not in the models, becomes nullable: they leave it out. A new one that may not be NULL has a default until the release
before is gone.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from sqlalchemy import MetaData

from alembic_online.autogenerate.context import Context, Schema
from alembic_online.autogenerate.python_defaults import from_models
from alembic_online.postgres.catalogue import Attribute, Catalogue, CatalogueObject, Identity, Kind, compare
from alembic_online.releases.breaks import FILLS_ITSELF, Break, How, breaks, fills_itself

_NOT_NULL = (
    Attribute.NOT_NULL,
    Attribute.NOT_NULL_NAME,
    Attribute.NOT_NULL_NOT_VALID,
    Attribute.NOT_NULL_NOT_INHERITED,
)
_MADE_OF_COLUMN = (Kind.CONSTRAINT, Kind.INDEX, Kind.STATISTICS)
_SAYS_NULL = "NULL"
"""In the rule of a domain: it may refuse it."""
_VIEWS = (Kind.VIEW, Kind.MATERIALIZED_VIEW)
_REFUSES = (Kind.CONSTRAINT, Kind.TRIGGER)


def halfway(live: Schema, wanted: Schema, models: MetaData) -> Schema | None:
    """That schema; None where one revision does: all is expand or all is contract, or none serves both releases."""
    broken = {each.identity for each in breaks(live.catalogue, wanted.catalogue)}
    objects = _Sides(live, wanted, models, broken).objects() if broken else None
    if objects is None:
        return None
    catalogue = _without_refusals(Catalogue(objects), wanted.catalogue)
    if next(breaks(live.catalogue, catalogue), None):
        return None
    if not all(_is_new_key(each, live.catalogue) for each in breaks(wanted.catalogue, catalogue)):
        return None
    if not compare(live.catalogue, catalogue):
        return None
    known = live.needs.keys() | wanted.needs.keys()
    both = {each: live.needs.get(each, frozenset()) | wanted.needs.get(each, frozenset()) for each in known}
    return replace(wanted, catalogue=catalogue, needs=both)


def _is_new_key(lacking: Break, live: Catalogue) -> bool:
    """Whether it is a unique key that the release after has to do without until the contract."""
    return lacking.identity.kind in (Kind.CONSTRAINT, Kind.INDEX) and lacking.identity not in live


@dataclass(frozen=True)
class _Sides:
    """What is taken from which side."""

    live: Schema
    wanted: Schema
    models: MetaData
    broken: set[Identity]

    def objects(self) -> list[CatalogueObject] | None:
        """All of them; None where nobody knows what the rows of the release before get in a new column."""
        before, after = self.live.catalogue, self.wanted.catalogue
        new = self.broken - before.keys()
        later = _with_users((each for each in new if each.kind is not Kind.COLUMN), self.wanted)
        as_before = {each for each in self.broken if each in before and each in after}
        views = {each for each in as_before if each.kind in _VIEWS}
        stay = (_with_parts(self.broken - after.keys(), self.live) & before.keys()) - after.keys()
        taken = {
            each.identity: each for each in after.values() if each.identity not in later and each.parent not in views
        }
        for identity in new & taken.keys():
            if (value := from_models(after[identity], Context(self.live, self.wanted, self.models))) is None:
                return None
            taken[identity] = _with(taken[identity], Attribute.DEFAULT, value)
        if any(self._refuses_null(before[each]) for each in stay):
            return None
        for entry in before.values():
            if entry.kind is Kind.ENUM and entry.identity in as_before:
                taken[entry.identity] = _all_labels(entry, after[entry.identity])
            elif entry.kind is Kind.COLUMN and entry.identity in as_before and entry.parent not in views:
                taken[entry.identity] = _as_both_write_it(entry, after[entry.identity])
            elif entry.identity in as_before or entry.parent in views:
                taken[entry.identity] = entry
            elif entry.identity in stay:
                taken[entry.identity] = self._as_it_stays(entry)
        return list(taken.values())

    def _as_it_stays(self, entry: CatalogueObject) -> CatalogueObject:
        return entry.without(_NOT_NULL) if self._is_left_out(entry) else entry

    def _is_left_out(self, entry: CatalogueObject) -> bool:
        """Whether the release after writes NULL into what stays, for it does not know it."""
        left_out = entry.kind is Kind.COLUMN and entry.parent in self.wanted.catalogue
        return left_out and not fills_itself(entry)

    def _refuses_null(self, entry: CatalogueObject) -> bool:
        """Whether that NULL is refused by the column's domain, which others have too."""
        needs = self.live.needs.get(entry.identity, ()) if self._is_left_out(entry) else ()
        domains = [each for each in needs if each.kind is Kind.DOMAIN and each in self.live.catalogue]
        return any(
            self.live.catalogue[each].has(Attribute.NOT_NULL)
            or any(_SAYS_NULL in rule.text(Attribute.DEFINITION) for rule in self.live.children(each))
            for each in domains
        )


def _with(entry: CatalogueObject, attribute: Attribute, value: str | tuple[str, ...]) -> CatalogueObject:
    return replace(entry, attributes={**entry.attributes, attribute: value})


def _as_both_write_it(before: CatalogueObject, after: CatalogueObject) -> CatalogueObject:
    """NULL is let in where it was, and whoever leaves the column out gets a value where he did, or will."""
    filled = after if fills_itself(after) else before
    strict = before if not before.has(Attribute.NOT_NULL) else after
    return before.like(filled, FILLS_ITSELF).like(strict, _NOT_NULL)


def _all_labels(before: CatalogueObject, after: CatalogueObject) -> CatalogueObject:
    """Those of both, each new one behind the one that it follows in the models."""
    labels, follows = [*before.items(Attribute.LABELS)], 0
    for label in after.items(Attribute.LABELS):
        if label not in labels:
            labels.insert(follows, label)
        follows = labels.index(label) + 1
    return _with(before, Attribute.LABELS, tuple(labels))


def _with_parts(gone: Iterable[Identity], live: Schema) -> set[Identity]:
    """With what belongs to them, of a column what is made of it, and all that these need."""

    def follow(identity: Identity) -> Iterator[Identity]:
        yield from (part.identity for part in live.children(identity))
        if identity.kind is Kind.COLUMN:
            yield from (each for each in live.needed_by.get(identity, ()) if each.kind in _MADE_OF_COLUMN)

    found = _reached(gone, follow)
    return found | {needed for each in found for needed in live.needs.get(each, ())}


def _with_users(new: Iterable[Identity], wanted: Schema) -> set[Identity]:
    """With what belongs to them, and what needs them."""

    def follow(identity: Identity) -> Iterator[Identity]:
        yield from (part.identity for part in wanted.children(identity))
        yield from wanted.needed_by.get(identity, ())

    return _reached(new, follow)


def _reached(start: Iterable[Identity], follow: Callable[[Identity], Iterable[Identity]]) -> set[Identity]:
    """These, and all to which one leads step by step."""
    waiting, found = [*start], set[Identity]()
    while waiting:
        if (identity := waiting.pop()) not in found:
            found.add(identity)
            waiting += follow(identity)
    return found


def _without_refusals(between: Catalogue, wanted: Catalogue) -> Catalogue:
    """Without the rules that may refuse what the release after writes, which knows nothing of them."""
    refusing = {
        each.identity for each in breaks(wanted, between) if each.how is How.RULED and each.identity.kind in _REFUSES
    }
    return Catalogue(each for each in between.values() if each.identity not in refusing and each.parent not in refusing)
