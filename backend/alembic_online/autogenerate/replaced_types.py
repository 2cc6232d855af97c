"""Types and collations that cannot be altered: another takes the place of each, and of the types that are made of it.

The old ones are renamed, the new ones made, the columns led over, the old ones dropped. All of it is one thing to do:
a domain over an enum must be rebuilt between the enum that comes and the one that goes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.column_types import column_type, parse_type
from alembic_online.autogenerate.context import Change, Context, Schema, quoted
from alembic_online.autogenerate.definition_parser import qualified_name
from alembic_online.autogenerate.op_rendering import Call, sql
from alembic_online.autogenerate.search_path_names import shortened
from alembic_online.autogenerate.server_default import NONE, server_default
from alembic_online.autogenerate.writers import writer_of
from alembic_online.autogenerate.writers.column_changes import NEEDS_ITS_TYPE, OTHER_TYPE
from alembic_online.autogenerate.writers.enums import labels
from alembic_online.autogenerate.writers.label_moves import moved, moves
from alembic_online.autogenerate.writers.types import Passage, TypeWriter, beside
from alembic_online.autogenerate.writers.writer import sorts
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind

_MADE_OF_OTHERS = frozenset({Kind.DOMAIN, Kind.COMPOSITE, Kind.RANGE})


@dataclass(frozen=True)
class Replacement:
    """Types that are replaced together, in an order in which they can be made."""

    context: Context
    members: tuple[Identity, ...]

    @property
    def head(self) -> Identity:
        """The one that stands for all."""
        return self.members[0]

    @property
    def parts(self) -> frozenset[Identity]:
        """The members, with the attributes and checks that they have before or after."""
        schemas = (self.context.old, self.context.new)
        parts = (part.identity for schema in schemas for type_ in self.members for part in schema.children(type_))
        return frozenset({*self.members, *parts})

    def operations(self) -> Iterator[MigrateOperation]:
        """The lines."""
        changes = [self._change(member) for member in self.members]
        for change in changes:
            yield from _writer(change.after).prepare(change, self.context)
        for change in changes:
            yield from _writer(change.before).aside(change.before)
        for change in changes:
            yield from _writer(change.after).create(change.after, self.context)
        for column in self._columns():
            yield from self._led_over(column)
        for change in reversed(changes):
            yield sql(f"DROP {_writer(change.before).word} {quoted(change.before.schema, beside(change.before.name))}")

    def disturbed(self) -> Iterator[Identity]:
        """What must be gone meanwhile: all that names a member but plain columns, and what needs their types."""
        old = self.context.old
        for dependent in sorted({one for member in self.members for one in old.needed_by.get(member, ())} - self.parts):
            entry = old.catalogue[dependent]
            if dependent.kind is not Kind.COLUMN or entry.has(Attribute.GENERATED):
                yield dependent
            elif entry.parent is not None and entry.parent.kind is not Kind.TABLE:
                yield entry.parent
            else:
                for user in old.needed_by.get(dependent, ()):
                    if (NEEDS_ITS_TYPE | OTHER_TYPE) & sorts(old.catalogue[user]):
                        yield user

    def _change(self, identity: Identity) -> Change:
        return Change(self.context.old.catalogue[identity], self.context.new.catalogue[identity])

    def _columns(self) -> Iterator[CatalogueObject]:
        """The plain columns of tables that need a member before and after; those of children follow their parents'."""
        old, new, members = self.context.old, self.context.new, set(self.members)
        for identity in sorted({one for member in members for one in old.needed_by.get(member, ())}):
            before, after = old.catalogue[identity], new.catalogue.get(identity)
            table = before.parent is not None and before.parent.kind is Kind.TABLE
            if after is None or not table or identity.kind is not Kind.COLUMN or before.has(Attribute.GENERATED):
                continue
            if not before.has(Attribute.INHERITED) and members & new.needs.get(identity, frozenset()):
                yield before

    def _led_over(self, old: CatalogueObject) -> Iterator[MigrateOperation]:
        """One column's values and default. One that changes is set by the column's own change, which comes after."""
        _, schema, table, name = old.identity
        printed, collation = old.text(Attribute.TYPE), old.attributes.get(Attribute.COLLATION)
        default = old.attributes.get(Attribute.DEFAULT)

        def alter(**options: Any) -> MigrateOperation:
            return Call("alter_column", table, name, **options, schema=self.context.schema_option(schema))

        stays = default == self.context.new.catalogue[old.identity].attributes.get(Attribute.DEFAULT)
        again = {"server_default": server_default(old)} if default is not None and stays else {}
        own = self._own_type(printed)
        collated = collation is not None and self._is_member(Kind.COLLATION, str(collation))
        if default is not None and (own is not None or not stays):
            yield alter(server_default=NONE)
        if own is not None or collated:
            type_ = column_type(printed, self.context.new, None if collation is None else str(collation))
            yield alter(type_=type_, postgresql_using=own and self._using(name, printed, own), **again)
        elif again:
            yield alter(**again)

    def _own_type(self, printed: str) -> Identity | None:
        """The member that a column is of, or an array of it, or of its multirange."""
        parsed = parse_type(printed)
        for member in self.members:
            multirange = self.context.old.catalogue[member].attributes.get(Attribute.MULTIRANGE)
            names = [(member.schema, member.name), *([qualified_name(str(multirange))] if multirange else [])]
            if parsed is not None and (parsed.schema, parsed.name) in names and member.kind is not Kind.COLLATION:
                return member
        return None

    def _is_member(self, kind: Kind, name: str) -> bool:
        return any(member.kind is kind and quoted(member.schema, member.name) == name for member in self.members)

    def _using(self, name: str, printed: str, member: Identity) -> str:
        passage, array = self._passage(member), "[]" if printed.endswith("[]") else ""
        value = f"{quoted(name)}::{passage.through}{array}"
        if member.kind is Kind.ENUM:
            change = self._change(member)
            ways = moves(labels(change.before), labels(change.after), self.context.merged.get(member, {}))
            value = moved(value, ways, array=bool(array))
        return shortened(f"{value}::{printed}" if passage.cast or array else value)

    def _passage(self, member: Identity) -> Passage:
        change = self._change(member)
        return _writer(change.after).passage(change, self.context) or Passage()


def replacements(context: Context) -> list[Replacement]:
    """Those that lead from one schema to the other."""
    groups: list[set[Identity]] = []
    for identity in sorted(context.old.catalogue.keys() & context.new.catalogue.keys()):
        change = Change(context.old.catalogue[identity], context.new.catalogue[identity])
        writer = writer_of(change.after) if change.after.parent is None else None
        if isinstance(writer, TypeWriter) and writer.passage(change, context) is not None:
            group = _with_those_made_of_it(identity, context)
            for other in [other for other in groups if other & group]:
                groups.remove(other)
                group |= other
            groups.append(group)
    return [Replacement(context, tuple(_in_order(group, context.new))) for group in groups]


def _with_those_made_of_it(type_: Identity, context: Context) -> set[Identity]:
    found, waiting = set[Identity](), [type_]
    while waiting:
        member = waiting.pop()
        found.add(member)
        for user in context.old.needed_by.get(member, ()):
            parent = context.old.catalogue[user].parent
            made = parent if user.kind is Kind.COLUMN and parent is not None else user
            if made.kind in _MADE_OF_OTHERS and made in context.new.catalogue and made not in found:
                waiting.append(made)
    return found


def _in_order(types: Iterable[Identity], schema: Schema) -> Iterator[Identity]:
    """Each after those that it is made of."""
    left = sorted(types)
    while left:
        first = next(type_ for type_ in left if not _made_of(type_, schema) & {*left} - {type_})
        left.remove(first)
        yield first


def _made_of(type_: Identity, schema: Schema) -> set[Identity]:
    parts = (type_, *(child.identity for child in schema.children(type_)))
    return {needed for part in parts for needed in schema.needs.get(part, ())}


def _writer(entry: CatalogueObject) -> TypeWriter:
    writer = writer_of(entry)
    assert isinstance(writer, TypeWriter), "no other is a member"
    return writer
