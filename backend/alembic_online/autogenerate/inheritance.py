"""Tables made of others, by INHERITS or as partitions: what is done to a parent happens to its children as well.

A child's object is written only as far as it is not what its parent's object has made of it already.
"""

from collections.abc import Mapping
from dataclasses import replace

from alembic_online.autogenerate.cannot_write import CannotWrite
from alembic_online.autogenerate.context import Change, Schema
from alembic_online.autogenerate.definition_parser import clauses, name, qualified_name
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind

_PASSED_ON = frozenset(
    {
        Attribute.TYPE,
        Attribute.COLLATION,
        Attribute.DEFAULT,
        Attribute.GENERATED,
        Attribute.STORAGE,
        Attribute.COMPRESSION,
        Attribute.DEFINITION,
    }
) | {
    *(
        Attribute.NOT_NULL,
        Attribute.NOT_NULL_NOT_VALID,
        Attribute.NOT_VALID,
        Attribute.NOT_ENFORCED,
        Attribute.POSITION,
    ),
}
"""What a new child takes over from its parent (CREATE TABLE, PostgreSQL 18, section INHERITS)."""
_KEPT_IN_STEP = _PASSED_ON | {Attribute.STATISTICS_TARGET}
"""What ALTER TABLE on the parent changes in its children too."""
_LINKS = (Attribute.INHERITS, Attribute.PARTITION)
_LINKED = frozenset({Attribute.INHERITED, Attribute.PART_OF})


def parents(table: CatalogueObject) -> list[str]:
    """The tables that it is made of, as SQL names them."""
    partition = table.attributes.get(Attribute.PARTITION)
    return [*table.items(Attribute.INHERITS), *([] if partition is None else clauses(str(partition))[:1])]


def has_children(table: Identity, schema: Schema) -> bool:
    """Whether others are made of it; a partitioned table may have partitions that are not ours."""
    place = (table.schema, table.name)
    if table in schema.catalogue and schema.catalogue[table].has(Attribute.PARTITIONED_BY):
        return True
    tables = (entry for entry in schema.catalogue.values() if entry.kind is Kind.TABLE)
    return any(place in map(qualified_name, parents(entry)) for entry in tables)


def origin(entry: CatalogueObject, schema: Schema) -> CatalogueObject | None:
    """The parent table's object of which this one is the child's."""
    if entry.has(Attribute.PART_OF):
        return _whole(entry, schema)
    if (of_type := type_of_rows(entry, schema)) is not None:
        return schema.catalogue.get(Identity(Kind.COLUMN, *of_type, entry.name))
    if entry.kind not in (Kind.COLUMN, Kind.CONSTRAINT) or entry.parent is None:
        return None
    if entry.kind is Kind.CONSTRAINT and entry.attributes[Attribute.TYPE] != "check":
        return None
    for parent in parents(schema.catalogue[entry.parent]):
        found = schema.catalogue.get(Identity(entry.kind, *qualified_name(parent), entry.name))
        if found is not None:
            return found
    return None


def type_of_rows(column: CatalogueObject, schema: Schema) -> tuple[str, str] | None:
    """The composite type, by schema and name, that the table of `column` is made OF; its columns are that type's."""
    table = schema.catalogue.get(column.parent) if column.kind is Kind.COLUMN and column.parent else None
    of_type = None if table is None else table.attributes.get(Attribute.OF_TYPE)
    return None if of_type is None else qualified_name(str(of_type))


def identity_of_the_whole(entry: CatalogueObject, schema: Schema) -> frozenset[Attribute]:
    """The attributes by which a partition's column has the identity of the partitioned table's, from PostgreSQL 17 on:
    it comes when the partition is attached, and goes when that is detached."""
    whole = origin(entry, schema) if entry.kind is Kind.COLUMN and schema.version >= 17 else None
    if whole is None or entry.parent is None or not schema.catalogue[entry.parent].has(Attribute.PARTITION):
        return frozenset()
    return frozenset(name for name in {*whole.attributes, *entry.attributes} if name.startswith(Attribute.IDENTITY))


def before_attached(entry: CatalogueObject, schema: Schema) -> CatalogueObject:
    """The column of a partition as it is in a table of its own."""
    followed = identity_of_the_whole(entry, schema)
    return entry.without(followed)


def _whole(entry: CatalogueObject, schema: Schema) -> CatalogueObject | None:
    said = clauses(entry.text(Attribute.PART_OF))
    owner = qualified_name(said[0])
    if entry.kind is not Kind.INDEX:
        return schema.catalogue.get(Identity(entry.kind, *owner, name(said[1])))
    return next((index for index in schema.indexes if (index.schema, index.name) == owner), None)


def _table(entry: CatalogueObject, schema: Schema) -> Identity:
    """The table that it is a part of."""
    *_, top = (entry.identity, *schema.ancestors(entry.identity))
    return top


def _without(change: Change, followed: Mapping[Attribute, CatalogueObject]) -> Change:
    """The change when these attributes are as they are of those objects already."""
    there = {name: like.attributes[name] for name, like in followed.items() if like.has(name)}
    rest = change.before.without(followed)
    return Change(replace(rest, attributes={**rest.attributes, **there}), change.after)


class Lineage:
    """The children's objects of two schemas."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self.old, self.new = old, new
        both = (entry.identity for entry in old.catalogue.values() if entry.identity in new.catalogue)
        self.relinked = frozenset(filter(self._is_relinked, both))
        """The tables that get other parents, or another place among the partitions."""

    def _is_relinked(self, table: Identity) -> bool:
        before, after = self.old.catalogue[table].attributes, self.new.catalogue[table].attributes
        if any(before.get(link) != after.get(link) for link in _LINKS) or self._is_retyped(table):
            return True
        # A column or check that its parent brought is the child's own as soon as the parent goes, if only for a moment.
        return Attribute.INHERITS in before and any(
            part.has(Attribute.INHERITED) and not now.has(Attribute.INHERITED)
            for part in self.old.children(table)
            if (now := self.new.catalogue.get(part.identity))
        )

    def _is_retyped(self, table: Identity) -> bool:
        """Whether it is made OF a type of which an attribute gets another type: CASCADE would convert no value that
        takes more than an assignment, so the table is none of the type's meanwhile."""
        for before in self.old.children(table, Kind.COLUMN):
            after = self.new.catalogue.get(before.identity)
            if (
                after is not None
                and (type_ := type_of_rows(after, self.new))
                and type_ == type_of_rows(before, self.old)
            ):
                attributes = (origin(column, schema) for column, schema in ((before, self.old), (after, self.new)))
                if (
                    len(
                        {
                            (one.attributes[Attribute.TYPE], one.attributes.get(Attribute.COLLATION))
                            for one in attributes
                            if one
                        }
                    )
                    > 1
                ):
                    return True
        return False

    def own(self, change: Change) -> Change:
        """The change without what happens by itself. Raises `CannotWrite` for what no statement does."""
        if _table(change.after, self.new) in self.relinked:
            change = Change(before_attached(change.before, self.old), before_attached(change.after, self.new))
            return _without(change, dict.fromkeys(_LINKED, change.after))
        followed: dict[Attribute, CatalogueObject] = {}
        source = origin(change.after, self.new)
        if source is not None and (before := self.old.catalogue.get(source.identity)):
            moved = Change(before, source).attributes
            if change.after.has(Attribute.PART_OF):
                followed = dict.fromkeys(moved & change.after.attributes.keys(), change.after)
            else:
                followed = dict.fromkeys(moved & _KEPT_IN_STEP, source)
        for entry, schema in ((change.before, self.old), (change.after, self.new)):
            followed |= dict.fromkeys(identity_of_the_whole(entry, schema), change.after)
        if Attribute.INHERITED in change.attributes:
            raise CannotWrite(change.identity, "no statement makes it come with the parent alone")
        return _without(change, followed)

    def goes_by_itself(self, entry: CatalogueObject, gone: set[Identity]) -> bool:
        """Whether an object of the old schema is dropped with its parent's, or detached with its table."""
        source = origin(entry, self.old)
        if source is not None and type_of_rows(entry, self.old):
            return self._stays_of_its_type(entry) and source.identity in gone
        if source is None or _LINKED.isdisjoint(entry.attributes):
            return False
        return entry.kind is Kind.TRIGGER if _table(entry, self.old) in self.relinked else source.identity in gone

    def comes_by_itself(self, entry: CatalogueObject, made: set[Identity]) -> bool:
        """Whether an object of the new schema is made with its parent's, or attached with its table."""
        source = origin(entry, self.new)
        if source is not None and type_of_rows(entry, self.new):
            return self._stays_of_its_type(entry) and source.identity in made
        if source is None or _LINKED.isdisjoint(entry.attributes):
            return False
        table = _table(entry, self.new)
        if table in made:
            return entry.kind is Kind.TRIGGER or self.new.catalogue[table].has(Attribute.INHERITS)
        return entry.has(Attribute.PART_OF) if table in self.relinked else source.identity in made

    def _stays_of_its_type(self, column: CatalogueObject) -> bool:
        """Whether the column's table is made of one type all the while."""
        table = column.parent
        if (
            table is None
            or table in self.relinked
            or not {table} <= self.old.catalogue.keys() & self.new.catalogue.keys()
        ):
            return False
        before, after = (schema.catalogue[table].attributes.get(Attribute.OF_TYPE) for schema in (self.old, self.new))
        return before == after

    def as_it_comes(self, entry: CatalogueObject) -> CatalogueObject:
        """What comes by itself, before anything else is done to it."""
        source = origin(entry, self.new)
        assert source is not None, "it came from there"
        if entry.has(Attribute.PART_OF):
            return entry.without({Attribute.COMMENT}).like(source, {Attribute.FIRING})
        of_whole = identity_of_the_whole(entry, self.new)
        kept = dict(source.filtered(lambda name: name in _PASSED_ON).attributes)
        kept |= entry.filtered(lambda name: name in of_whole).attributes
        if _LINKED & entry.attributes.keys():
            kept[Attribute.INHERITED] = True
        return replace(entry, attributes=kept)
