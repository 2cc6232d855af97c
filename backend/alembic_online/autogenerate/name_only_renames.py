"""Constraints, indexes, sequences and enum types of which nothing but the name differs: renamed without a question."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Schema, quoted
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.rename_order import Pair, circles, free_first, over_a_name_beside
from alembic_online.autogenerate.renames import Rename
from alembic_online.autogenerate.unnamed_constraints import same_constraints
from alembic_online.postgres.catalogue import CatalogueObject, Identity, Kind

_KEYWORDS = {Kind.SEQUENCE: "SEQUENCE", Kind.INDEX: "INDEX", Kind.ENUM: "TYPE"}
_RELATIONS = frozenset({Kind.TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.FOREIGN_TABLE, Kind.SEQUENCE, Kind.INDEX})


def by_definition(live: Schema, wanted: Schema) -> Iterator[Rename]:
    """The renames, in an order in which each name is free."""

    def key(identity: Identity) -> Identity:
        return _as_others_see_it(identity, live if identity in live.catalogue else wanted)

    pairs = [*same_constraints(live, wanted), *(pair for kind in _KEYWORDS for pair in _same(live, wanted, kind))]
    if not pairs:
        return
    yield from map(_rename, free_first(pairs, {key(identity) for identity in live.catalogue}, key))
    for circle in circles(pairs, key):
        yield from map(_rename, over_a_name_beside(circle))


def _as_others_see_it(identity: Identity, schema: Schema) -> Identity:
    """Relations of one schema share their names, and so do the indexes of its constraints."""
    index = any(schema.children(identity, Kind.INDEX)) and identity.kind is Kind.CONSTRAINT
    return (
        Identity(Kind.TABLE, identity.schema, "", identity.name) if identity.kind in _RELATIONS or index else identity
    )


def _rename(pair: Pair) -> Rename:
    old, new = pair

    def line(before: str, after: str) -> MigrateOperation:
        if old.kind is Kind.CONSTRAINT:
            table = quoted(new.schema, new.table)
            return sql(f"ALTER TABLE {table} RENAME CONSTRAINT {quoted(before)} TO {quoted(after)}")
        return sql(f"ALTER {_KEYWORDS[old.kind]} {quoted(old.schema, before)} RENAME TO {quoted(after)}")

    return Rename(old, new, (line(old.name, new.name),), (line(new.name, old.name),))


def _same(live: Schema, wanted: Schema, kind: Kind) -> Iterator[Pair]:
    """A sequence may have the name that another of the same kind has: it is known by the column that owns it."""
    gone = [entry for entry in live.catalogue.values() if entry.kind is kind and _is_another(entry, wanted)]
    for identity in sorted(wanted.catalogue) if gone else ():
        entry = wanted.catalogue[identity]
        if entry.kind is not kind or not _is_another(entry, live) or _is_part_of_a_constraint(entry):
            continue
        same = next((other for other in gone if _equal(other, entry)), None)
        if same is not None:
            gone.remove(same)
            yield same.identity, identity


def _is_another(entry: CatalogueObject, schema: Schema) -> bool:
    there = schema.catalogue.get(entry.identity)
    return there is None or (entry.kind is Kind.SEQUENCE and there.parent != entry.parent)


def _is_part_of_a_constraint(entry: CatalogueObject) -> bool:
    return entry.parent is not None and entry.parent.kind is Kind.CONSTRAINT


def _equal(old: CatalogueObject, new: CatalogueObject) -> bool:
    same_place = (old.parent, old.schema, old.identity.table) == (new.parent, new.schema, new.identity.table)
    return same_place and old.identity != new.identity and old.compared == new.compared
