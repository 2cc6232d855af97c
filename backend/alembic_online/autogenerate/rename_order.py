"""In which order things get other names: each after the one that frees its name, and a circle over a name beside.

Two that swap their names look the same before and after. Whether that is still to be done is seen by what they are; and
where they are alike, by the revision files: one that did it has the name beside in it.
"""

from collections.abc import Callable, Iterator

from alembic_online.autogenerate.context import Change, Schema
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind
from alembic_online.postgres.sql.identifiers import object_name

Pair = tuple[Identity, Identity]
"""What something is called, and what it shall be called."""
Key = Callable[[Identity], Identity]
_SHAPE = (Attribute.TYPE, Attribute.COLLATION, Attribute.NOT_NULL)


def _itself(identity: Identity) -> Identity:
    return identity


def free_first(pairs: list[Pair], taken: set[Identity], key: Key = _itself) -> Iterator[Pair]:
    """Take those out of `pairs` whose new name is free, or is freed by one before; `key` is what may be there once."""
    while free := next((pair for pair in pairs if key(pair[1]) not in taken), None):
        pairs.remove(free)
        taken ^= {key(free[0]), key(free[1])}
        yield free


def circles(pairs: list[Pair], key: Key = _itself) -> Iterator[list[Pair]]:
    """Take those out of `pairs` each of which is to have the name of the next, and the last that of the first."""
    owners = {key(pair[0]): pair for pair in pairs}
    for start in list(pairs):
        circle = [start]
        while (name := key(circle[-1][1])) in owners and name != key(start[0]) and len(circle) < len(pairs):
            circle.append(owners[name])
        if name == key(start[0]) and start in pairs:
            pairs[:] = [pair for pair in pairs if pair not in circle]
            yield circle


def over_a_name_beside(circle: list[Pair]) -> Iterator[Pair]:
    """The first of the circle makes room for the others."""
    (old, new), *others = circle
    aside = old._replace(name=name_beside(old.name, new.name))
    yield old, aside
    yield from reversed(others)
    yield aside, new


def name_beside(old: str, new: str) -> str:
    """The name that something has until the new one is free."""
    return object_name(old, new, "swap")


def still_to_do(circle: list[Pair], live: Schema, wanted: Schema, table: Identity | None, revisions: str) -> bool:
    """Whether tables, or the columns of the table that is to be called `table`, have still each other's names."""

    def final(identity: Identity) -> Identity:
        return identity._replace(schema=table.schema, table=table.name) if table else identity

    swapped = sum(_apart(old, final(new), live, wanted) for old, new in circle)
    as_they_are = sum(_apart(old, final(old), live, wanted) for old, _ in circle)
    old, new = circle[0]
    return swapped < as_they_are or (swapped == as_they_are and name_beside(old.name, new.name) not in revisions)


def _apart(here: Identity, there: Identity, live: Schema, wanted: Schema) -> int:
    """In how many points two of a kind differ."""
    if here.kind is Kind.COLUMN:
        return len(Change(live.catalogue[here], wanted.catalogue[there]).attributes)
    return len(_shape(live, here) ^ _shape(wanted, there))


def _shape(schema: Schema, table: Identity) -> set[tuple[object, ...]]:
    columns: list[CatalogueObject] = schema.children(table, Kind.COLUMN)
    return {(column.name, *(column.attributes.get(name) for name in _SHAPE)) for column in columns}
