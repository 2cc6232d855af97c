"""Constraints that the models do not name: the database's name for the same thing is as good as PostgreSQL's own."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sqlalchemy import MetaData

from alembic_online.autogenerate.context import Schema, quoted
from alembic_online.autogenerate.derived_names import former_names
from alembic_online.autogenerate.model_spelling import formatted_name
from alembic_online.autogenerate.renames import Rename
from alembic_online.postgres.catalogue import Attribute, Catalogue, CatalogueObject, Identity, Kind


def with_live_names(live: Schema, wanted: Schema, metadata: MetaData, renames: Iterable[Rename] = ()) -> Schema:
    """`wanted`, its constraints without a name called as equal ones of `live` are; but those that PostgreSQL has named
    after what `renames` have renamed."""
    former = former_names(renames)

    def follows(old: CatalogueObject) -> bool:
        place = (old.schema, old.identity.table)
        columns = live.children(Identity(Kind.TABLE, place[0], "", place[1]), Kind.COLUMN)
        return place in former and former[place].made(old, [column.name for column in columns])

    named = set(_named(metadata, wanted.default))
    tables = {(table.schema or wanted.default, table.name) for table in metadata.tables.values()}

    def may_be_called_otherwise(old: Identity, entry: CatalogueObject) -> bool:
        _, schema, table, name = entry.identity
        unnamed = (schema, table) in tables and (schema, table, quoted(name)) not in named
        return unnamed and not follows(live.catalogue[old])

    pairs = same_constraints(live, wanted)
    return renamed(wanted, {new: old for old, new in pairs if may_be_called_otherwise(old, wanted.catalogue[new])})


def same_constraints(live: Schema, wanted: Schema) -> Iterator[tuple[Identity, Identity]]:
    """Pairs of constraints, of one table, that are the same but for the name; each only once."""
    found: defaultdict[tuple[object, ...], list[Identity]] = defaultdict(list)
    for identity in sorted(live.catalogue.keys() - wanted.catalogue.keys()):
        if identity.kind is Kind.CONSTRAINT:
            found[_meaning(live.catalogue[identity])].append(identity)
    for identity in sorted(wanted.catalogue.keys() - live.catalogue.keys()):
        entry = wanted.catalogue[identity]
        if entry.kind is Kind.CONSTRAINT and (same := found.get(_meaning(entry))):
            yield same.pop(0), identity


def _meaning(entry: CatalogueObject) -> tuple[object, ...]:
    attributes = {name: value for name, value in entry.compared.items() if name != Attribute.COMMENT}
    return entry.schema, entry.identity.table, tuple(sorted(attributes.items()))


def _named(metadata: MetaData, default: str) -> Iterator[tuple[str, str, str]]:
    """Schema, table and name, as SQL writes it, of each constraint that has one."""
    for table in metadata.tables.values():
        for constraint in table.constraints:
            if (name := formatted_name(constraint)) is not None:
                yield table.schema or default, table.name, quoted(name)


def renamed(schema: Schema, names: Mapping[Identity, Identity]) -> Schema:
    """`schema` with other names for some of its constraints, and for the indexes that belong to them."""
    if not names:
        return schema
    new = dict(names)
    for identity, name in names.items():
        for index in schema.children(identity, Kind.INDEX):
            new[index.identity] = index.identity._replace(name=name.name)

    def call(identity: Identity) -> Identity:
        return new.get(identity, identity)

    entries = [
        replace(entry, identity=call(entry.identity), parent=entry.parent and call(entry.parent))
        for entry in schema.catalogue.values()
    ]
    needs = {call(identity): frozenset(map(call, needed)) for identity, needed in schema.needs.items()}
    return replace(schema, catalogue=Catalogue(entries), needs=needs)
