"""Foreign keys: what they refer to, and those that lead in a circle.

No order of tables suits a circle, so its keys are made when all the tables are there.
"""

from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from alembic_online.autogenerate.context import Schema
from alembic_online.autogenerate.definition_parser import clauses, qualified_name
from alembic_online.autogenerate.inheritance import parents
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind


def is_key(entry: CatalogueObject) -> bool:
    """Whether a foreign key may refer to it."""
    if entry.kind is Kind.CONSTRAINT:
        return entry.attributes[Attribute.TYPE] in ("primary key", "unique")
    return entry.kind is Kind.INDEX and entry.has(Attribute.UNIQUE)


def referred_table(foreign_key: CatalogueObject) -> tuple[str, str]:
    """Schema and name of the table that it refers to."""
    return qualified_name(clauses(foreign_key.text(Attribute.DEFINITION))[4])


def keys_on_partitions(schema: Schema) -> Iterator[tuple[Identity, Identity]]:
    """Each foreign key, with every partition below the table that it refers to."""
    tables = [entry for entry in schema.catalogue.values() if entry.kind is Kind.TABLE]
    partitions = [entry for entry in tables if entry.has(Attribute.PARTITION)]
    for entry in schema.catalogue.values() if partitions else ():
        if entry.kind is Kind.CONSTRAINT and entry.attributes[Attribute.TYPE] == "foreign key":
            below = (each for each in partitions if referred_table(entry) in _above(each, schema))
            yield from ((entry.identity, each.identity) for each in below)


def _above(table: CatalogueObject, schema: Schema) -> Iterator[tuple[str, str]]:
    """The tables of which it is a partition, directly or over others."""
    for place in map(qualified_name, parents(table)):
        yield place
        above = schema.catalogue.get(Identity(Kind.TABLE, place[0], "", place[1]))
        yield from _above(above, schema) if above is not None else ()


def cyclic_foreign_keys(schema: Schema) -> frozenset[Identity]:
    """The foreign keys, as few as it takes, without which the tables of `schema` have an order."""
    keys: defaultdict[tuple[Identity, Identity], set[Identity]] = defaultdict(set)
    for entry in schema.catalogue.values():
        if entry.kind is Kind.CONSTRAINT and entry.attributes[Attribute.TYPE] == "foreign key" and entry.parent:
            for needed in schema.needs.get(entry.identity, ()):
                target = Identity(Kind.TABLE, needed.schema, "", needed.table)
                if needed.kind is Kind.COLUMN and target != entry.parent:
                    keys[entry.parent, target].add(entry.identity)
    found: set[Identity] = set()
    while circle := _circle(set(keys)):
        pair = min(pair for pair in zip(circle[1:], circle, strict=False) if pair in keys)
        found |= keys.pop(pair)
    return frozenset(found)


def _circle(pairs: set[tuple[Identity, Identity]]) -> list[Identity]:
    """Tables in a circle, the first of which is the last as well, each needed by the next; empty if there is none."""
    graph: defaultdict[Identity, list[Identity]] = defaultdict(list)
    for dependent, needed in sorted(pairs):  # in the same order in every process
        graph[dependent].append(needed)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
