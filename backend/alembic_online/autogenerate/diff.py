"""From one schema to another: which objects are dropped, created, altered or rebuilt.

The way back is the same function with the two schemas the other way round; so a downgrade forgets nothing that the
upgrade knows. `dependency_order.py` puts what is to be done in order.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.cannot_write import CannotWrite
from alembic_online.autogenerate.context import Change, Context
from alembic_online.autogenerate.dependency_order import Node, Order
from alembic_online.autogenerate.fills_first import fills_first
from alembic_online.autogenerate.foreign_keys import cyclic_foreign_keys
from alembic_online.autogenerate.inheritance import Lineage
from alembic_online.autogenerate.op_rendering import Comment
from alembic_online.autogenerate.recreate_generated_columns import Done, in_one_statement
from alembic_online.autogenerate.replaced_types import Replacement, replacements
from alembic_online.autogenerate.row_types import returned_rows
from alembic_online.autogenerate.writers import writer_of
from alembic_online.autogenerate.writers.column_changes import default_changed
from alembic_online.autogenerate.writers.domains import domain_default
from alembic_online.autogenerate.writers.links import attach, detach
from alembic_online.autogenerate.writers.publications import published, with_tables
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind


def holds_data(entry: CatalogueObject) -> bool:
    """Whether dropping it loses what cannot be made again from the schema."""
    if entry.kind is Kind.COLUMN:
        return entry.parent is not None and entry.parent.kind is Kind.TABLE and not entry.has(Attribute.GENERATED)
    return entry.kind is Kind.TABLE


def plan(context: Context) -> list[MigrateOperation]:
    """The operations that lead from `context.old` to `context.new`, in an order in which they can run.

    Raises:
        CannotWrite: no operations keep the data, or PostgreSQL has none for this change.
    """
    old, new = context.old, context.new
    separate = cyclic_foreign_keys(old) | cyclic_foreign_keys(new)
    changes = Changes(replace(context, separate=separate))
    nodes = Order(changes.context, list(changes.nodes()), changes.disturbed, changes.replaced)
    early, done = fills_first([Done(node, changes.operations(node)) for node in nodes], changes.context)
    return [*early, *in_one_statement(done, changes.context)]


@dataclass
class Changes:
    """What happens to each object of two schemas."""

    context: Context

    def __post_init__(self) -> None:
        before, after = self.context.old.catalogue, self.context.new.catalogue
        self.removed = set(before.keys() - after.keys())
        self.added = set(after.keys() - before.keys())
        self.altered: dict[Identity, list[MigrateOperation]] = {}
        self.rebuilt: set[Identity] = set()
        self.taken: set[Identity] = set()
        self.loosened: set[Identity] = set()
        self.held: set[Identity] = set()
        self.followed: set[Identity] = set()
        self.unpublished: dict[Identity, set[Identity]] = {}
        self.disturbed: list[tuple[Identity, Identity]] = []
        self.lineage = Lineage(self.context.old, self.context.new)
        self.replaced = {
            part: replacement.head for replacement in replacements(self.context) for part in self._replace(replacement)
        }
        for identity in sorted(before.keys() & after.keys()):
            self._change(Change(before[identity], after[identity]))
        for identity in sorted(self.removed):
            for dependent in self.context.old.needed_by.get(identity, ()):
                if dependent not in self.altered.keys() | self.followed or self._returns(dependent, identity):
                    self._rebuild(dependent, identity)

    def _returns(self, function: Identity, column: Identity) -> bool:
        """Whether it names a column of the rows that it returns: it fits neither before nor after that goes."""
        rows = returned_rows(self.context.old.catalogue[function], self.context.old)
        return rows is not None and rows == self.context.old.catalogue[column].parent

    def _replace(self, replacement: Replacement) -> frozenset[Identity]:
        self.altered[replacement.head] = list(replacement.operations())
        self.taken |= replacement.parts - {replacement.head}
        self.held |= replacement.parts
        columns = {user for member in replacement.members for user in self.context.old.needed_by.get(member, ())}
        for dependent in replacement.disturbed():
            self._clear(replacement.head, dependent, columns)
        return replacement.parts

    def _clear(self, altered: Identity, dependent: Identity, columns: Collection[Identity]) -> None:
        """Have it out of the way while something that has to do with these columns is altered."""
        self.disturbed.append((altered, dependent))
        if dependent.kind is Kind.PUBLICATION:
            tables = self.unpublished.setdefault(dependent, set())
            tables |= published(dependent, columns, self.context.old)
        else:
            self._rebuild(dependent)

    def _change(self, change: Change) -> None:
        if change.identity in self.held:
            return
        moved = change.before.parent != change.after.parent
        if moved and change.identity.kind is not Kind.SEQUENCE:  # an index becomes a constraint's, a table a view
            self._rebuild(change.identity)
        elif change.attributes and (own := self.lineage.own(change)).attributes:
            self._alter(own)
        elif change.attributes:
            self.followed.add(change.identity)

    def _alter(self, change: Change) -> None:
        writer = writer_of(change.after)
        operations = writer.alter(change, self.context)
        if operations is None:
            self._rebuild(change.identity)
            return
        self.altered[change.identity] = operations
        self.taken |= writer.takes(change, self.context)
        for dependent in writer.disturbed(change, self.context):
            self._clear(change.identity, dependent, {change.identity})

    def _rebuild(self, identity: Identity, needed: Identity | None = None) -> None:
        """Drop it and make it again, with all that hangs on it; `needed` is what it needs and what goes before it."""
        entry = self.context.old.catalogue.get(identity)
        if entry is None or identity in self.rebuilt | self.held:
            return
        if _inseparable(entry) and entry.parent not in self.rebuilt:
            assert entry.parent is not None, "what it cannot be separated from"
            self._rebuild(entry.parent)
            return
        after = self.context.new.catalogue.get(identity)
        stays = after is not None and after.parent == entry.parent and not after.has(Attribute.GENERATED)
        if stays and needed is not None and needed.kind is Kind.FUNCTION and (holds_data(entry) or _is_domain(entry)):
            self.loosened.add(identity)  # nothing but its default can call a function
            return
        if holds_data(entry) and stays:
            raise CannotWrite(identity)
        self.rebuilt.add(identity)
        for child in self.context.old.children(identity):
            self._rebuild(child.identity)
        for dependent in self.context.old.needed_by.get(identity, ()):
            self._rebuild(dependent, identity)

    def nodes(self) -> Iterator[Node]:
        """The things to do, in no order."""
        old, new = self.context.old.catalogue, self.context.new.catalogue
        gone, made = self.removed | self.rebuilt, self.added | (self.rebuilt & new.keys())
        for identity in gone - self.taken:
            if not self._goes_with_another(old[identity], gone):
                yield Node("drop", identity)
        for identity in made - self.taken:
            if not self._comes_with_another(new[identity], made):
                yield Node("create", identity)
        for identity in self.altered.keys() - self.rebuilt - self.taken:
            yield Node("alter", identity)
        for identity in made:
            if self.lineage.comes_by_itself(new[identity], made):
                yield from self._finish(new[identity])
        for identity in {*self.lineage.relinked, *(self.loosened - self.rebuilt)}:
            yield from (Node("detach", identity), Node("attach", identity))
        yield from (Node("attach", table) for table in made if new[table].has(Attribute.PARTITION))
        for publication in self.unpublished.keys() - gone:
            yield Node("detach", publication)
            if publication not in self.altered:
                yield Node("attach", publication)

    def _finish(self, entry: CatalogueObject) -> Iterator[Node]:
        """What came by itself gets what it has of its own."""
        change = Change(self.lineage.as_it_comes(entry), entry)
        if change.attributes:
            operations = writer_of(entry).alter(change, self.context)
            if operations is None:
                raise CannotWrite(entry.identity)
            self.altered[entry.identity] = operations
            yield Node("alter", entry.identity)

    def _goes_with_another(self, entry: CatalogueObject, gone: set[Identity]) -> bool:
        """Whether it needs no line of its own to go."""
        if entry.identity in self.context.separate:
            return False
        if _inseparable(entry) or any(above in gone for above in self.context.old.ancestors(entry.identity)):
            return True
        return self.lineage.goes_by_itself(entry, gone)

    def _comes_with_another(self, entry: CatalogueObject, made: set[Identity]) -> bool:
        """Whether it needs no line of its own to come."""
        if _inseparable(entry) or self.lineage.comes_by_itself(entry, made):
            return True
        if entry.parent is None or entry.parent not in made:
            return False
        parent = self.context.new.catalogue[entry.parent]
        return writer_of(parent).covers(parent, entry, self.context)

    def operations(self, node: Node) -> list[MigrateOperation]:
        """The lines of one node."""
        if node.action == "drop":
            entry = self.context.old.catalogue[node.identity]
            return [*self._mark(entry), *writer_of(entry).drop(entry, self.context)]
        if node.action == "create":
            entry = self.context.new.catalogue[node.identity]
            return writer_of(entry).create(entry, self.context)
        if node.action == "alter":
            return self.altered[node.identity]
        before, after = self.context.old.catalogue.get(node.identity), self.context.new.catalogue[node.identity]
        if before is not None and after.kind is Kind.PUBLICATION:
            words, entry = ("DROP", before) if node.action == "detach" else ("ADD", after)
            return list(with_tables(words, entry, self.unpublished[node.identity], self.context.old))
        if after.kind is Kind.COLUMN:
            return list(default_changed(after, self.context, keep=node.action == "attach"))
        if after.kind is Kind.DOMAIN:
            return [domain_default(after, keep=node.action == "attach")]
        return list(detach(before, after) if node.action == "detach" else attach(before, after))

    def _mark(self, entry: CatalogueObject) -> Iterator[MigrateOperation]:
        """On the way up, what destroys data says so; on the way down, the run itself counts the rows and asks."""
        if self.context.models is not None and holds_data(entry) and entry.identity in self.removed:
            yield Comment(f"Destroys data: {entry.kind} {'.'.join(filter(None, (entry.identity.table, entry.name)))}")


def _is_domain(entry: CatalogueObject) -> bool:
    return entry.kind is Kind.DOMAIN


def _inseparable(entry: CatalogueObject) -> bool:
    """Whether it is made and dropped with its parent alone: a view's column, a constraint's index."""
    if entry.parent is None:
        return False
    parts = {Kind.COLUMN: (Kind.VIEW, Kind.MATERIALIZED_VIEW), Kind.INDEX: (Kind.CONSTRAINT,)}
    return entry.parent.kind in parts.get(entry.kind, ())
