"""Tables made of others, by INHERITS or as partitions: what is done to a parent happens to its children as well.

A child's object is written only as far as it is not what its parent's object has made of it already.
"""

from dataclasses import replace

from src.postgres.catalogue import CatalogueObject, Identity, Kind
from src.safety.autogenerate.cannot_write import CannotWrite
from src.safety.autogenerate.clauses import clauses, name, qualified_name
from src.safety.autogenerate.context import Change, Schema

_PASSED_ON = frozenset({"type", "collation", "default", "generated", "storage", "compression", "definition"}) | {
    *("not null", "not null not valid", "not valid", "not enforced", "position"),
}
"""What a new child takes over from its parent (CREATE TABLE, PostgreSQL 18, section INHERITS)."""
_KEPT_IN_STEP = _PASSED_ON | {"statistics target"}
"""What ALTER TABLE on the parent changes in its children too."""
_LINKS = ("inherits", "partition")
_LINKED = frozenset({"inherited", "part of"})


def parents(table: CatalogueObject) -> list[str]:
    """The tables that it is made of, as SQL names them."""
    inherits = table.attributes.get("inherits", ())
    assert isinstance(inherits, tuple), "a list in every catalogue"
    partition = table.attributes.get("partition")
    return [*inherits, *([] if partition is None else clauses(str(partition))[:1])]


def origin(entry: CatalogueObject, schema: Schema) -> CatalogueObject | None:
    """The parent table's object of which this one is the child's."""
    if "part of" in entry.attributes:
        return _whole(entry, schema)
    if entry.kind not in (Kind.COLUMN, Kind.CONSTRAINT) or entry.parent is None:
        return None
    if entry.kind is Kind.CONSTRAINT and entry.attributes["type"] != "check":
        return None
    for parent in parents(schema.catalogue[entry.parent]):
        found = schema.catalogue.get(Identity(entry.kind, *qualified_name(parent), entry.name))
        if found is not None:
            return found
    return None


def _whole(entry: CatalogueObject, schema: Schema) -> CatalogueObject | None:
    said = clauses(str(entry.attributes["part of"]))
    owner = qualified_name(said[0])
    if entry.kind is not Kind.INDEX:
        return schema.catalogue.get(Identity(entry.kind, *owner, name(said[1])))
    return next((index for index in schema.indexes if (index.schema, index.name) == owner), None)


def _table(entry: CatalogueObject, schema: Schema) -> Identity:
    """The table that it is a part of."""
    *_, top = (entry.identity, *schema.ancestors(entry.identity))
    return top


class Lineage:
    """The children's objects of two schemas."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self.old, self.new = old, new
        both = (entry.identity for entry in old.catalogue.values() if entry.identity in new.catalogue)
        self.relinked = frozenset(filter(self._is_relinked, both))
        """The tables that get other parents, or another place among the partitions."""

    def _is_relinked(self, table: Identity) -> bool:
        before, after = self.old.catalogue[table].attributes, self.new.catalogue[table].attributes
        if any(before.get(link) != after.get(link) for link in _LINKS):
            return True
        # A column or check that its parent brought is the child's own as soon as the parent goes, if only for a moment.
        return "inherits" in before and any(
            "inherited" in part.attributes and "inherited" not in now.attributes
            for part in self.old.children(table)
            if (now := self.new.catalogue.get(part.identity))
        )

    def own(self, change: Change) -> Change:
        """The change without what happens by itself. Raises `CannotWrite` for what no statement does."""
        attributes, wanted = dict(change.before.attributes), change.after.attributes
        if _table(change.after, self.new) in self.relinked:
            final, followed = wanted, set(_LINKED)
        else:
            final, followed = wanted, set()
            source = origin(change.after, self.new)
            if source is not None and (before := self.old.catalogue.get(source.identity)):
                whole = "part of" in wanted
                followed = set(Change(before, source).attributes & (wanted.keys() if whole else _KEPT_IN_STEP))
                final = wanted if whole else source.attributes
            if "inherited" in change.attributes:
                raise CannotWrite(change.identity, "no statement makes it come with the parent alone")
        for attribute in followed:
            attributes.pop(attribute, None)
            if attribute in final:
                attributes[attribute] = final[attribute]
        return Change(replace(change.before, attributes=attributes), change.after)

    def goes_by_itself(self, entry: CatalogueObject, gone: set[Identity]) -> bool:
        """Whether an object of the old schema is dropped with its parent's, or detached with its table."""
        source = origin(entry, self.old)
        if source is None or _LINKED.isdisjoint(entry.attributes):
            return False
        return entry.kind is Kind.TRIGGER if _table(entry, self.old) in self.relinked else source.identity in gone

    def comes_by_itself(self, entry: CatalogueObject, made: set[Identity]) -> bool:
        """Whether an object of the new schema is made with its parent's, or attached with its table."""
        source = origin(entry, self.new)
        if source is None or _LINKED.isdisjoint(entry.attributes):
            return False
        table = _table(entry, self.new)
        if table in made:
            return entry.kind is Kind.TRIGGER or "inherits" in self.new.catalogue[table].attributes
        return "part of" in entry.attributes if table in self.relinked else source.identity in made

    def as_it_comes(self, entry: CatalogueObject) -> CatalogueObject:
        """What comes by itself, before anything else is done to it."""
        source = origin(entry, self.new)
        assert source is not None, "it came from there"
        if "part of" in entry.attributes:
            kept = {name: value for name, value in entry.attributes.items() if name not in ("comment", "firing")}
            kept |= {name: value for name, value in source.attributes.items() if name == "firing"}
        else:
            kept = {name: value for name, value in source.attributes.items() if name in _PASSED_ON}
            kept["inherited"] = True
        return replace(entry, attributes=kept)
