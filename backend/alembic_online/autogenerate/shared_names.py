"""Names that objects of several kinds share, so that one must give its name up before another takes it."""

from collections.abc import Iterator

from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind

# Relations of one schema share their names.
_WITH_ROWS = frozenset({Kind.TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.FOREIGN_TABLE, Kind.COMPOSITE})
_RELATIONS = _WITH_ROWS | {Kind.SEQUENCE, Kind.INDEX}
# So do the types, of which each relation with rows has one; and functions, procedures and aggregates.
_TYPES = _WITH_ROWS | {Kind.ENUM, Kind.DOMAIN, Kind.RANGE, Kind.BASE_TYPE}
_ROUTINES = frozenset({Kind.FUNCTION, Kind.PROCEDURE, Kind.AGGREGATE})


def names(entry: CatalogueObject) -> Iterator[tuple[str, ...]]:
    """What no other object may be called or be at the same time."""
    kind, schema, table, name = entry.identity
    yield (kind, schema, table, name)
    index = kind is Kind.CONSTRAINT and entry.attributes[Attribute.TYPE] in ("primary key", "unique", "exclusion")
    if kind in _RELATIONS or index:
        yield ("relation", schema, name)
    if kind in _TYPES:
        yield ("type", schema, name)
    if kind in _ROUTINES:
        yield ("routine", schema, name)
    if entry.attributes.get(Attribute.TYPE) == "primary key":
        yield ("primary key", schema, table)


def same_routine(one: Identity, other: Identity) -> bool:
    """Whether two routines differ by their arguments alone: a call may fit both."""
    bare = [(routine.schema, routine.name.partition("(")[0]) for routine in (one, other)]
    return bare[0] == bare[1]
