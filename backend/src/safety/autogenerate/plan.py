"""From one schema to another: which objects are dropped, created, altered or made anew.

The way back is the same function with the two schemas the other way round; so a downgrade forgets nothing that the
upgrade knows. `order.py` puts what is to be done in order.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from alembic.operations import MigrateOperation

from src.postgres.catalogue import CatalogueObject, Identity, Kind
from src.safety.autogenerate.call import Comment
from src.safety.autogenerate.cannot_write import CannotWrite
from src.safety.autogenerate.context import Change, Context
from src.safety.autogenerate.foreign_keys import cyclic_foreign_keys
from src.safety.autogenerate.order import Node, Order
from src.safety.autogenerate.writers import writer_of


def holds_data(entry: CatalogueObject) -> bool:
    """Whether dropping it loses what cannot be made again from the schema."""
    if entry.kind is Kind.COLUMN:
        return entry.parent is not None and entry.parent.kind is Kind.TABLE and "generated" not in entry.attributes
    return entry.kind is Kind.TABLE


def plan(context: Context) -> list[MigrateOperation]:
    """The operations that lead from `context.old` to `context.new`, in an order in which they can run.

    Raises:
        CannotWrite: no operations keep the data, or PostgreSQL has none for this change.
    """
    old, new = context.old, context.new
    separate = cyclic_foreign_keys(old) | cyclic_foreign_keys(new)
    changes = Changes(replace(context, separate=separate))
    nodes = Order(changes.context, list(changes.nodes()))
    return [operation for node in nodes for operation in changes.operations(node)]


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
        both = [Change(before[identity], after[identity]) for identity in sorted(before.keys() & after.keys())]
        for change in both:
            if change.attributes:
                self._alter(change)
        for identity in sorted(self.removed):
            for dependent in self.context.old.needed_by.get(identity, ()):
                if dependent not in self.altered:
                    self._rebuild(dependent)

    def _alter(self, change: Change) -> None:
        writer = writer_of(change.after)
        operations = writer.alter(change, self.context)
        if operations is None:
            self._rebuild(change.identity)
            return
        self.altered[change.identity] = operations
        for dependent in self._disturbed(change):
            self._rebuild(dependent)

    def _disturbed(self, change: Change) -> Iterator[Identity]:
        disturbed = writer_of(change.after).disturbs(change)
        for dependent in self.context.old.needed_by.get(change.identity, ()):
            if dependent.kind in disturbed or (
                "generated" in disturbed and "generated" in self.context.old.catalogue[dependent].attributes
            ):
                yield dependent

    def _rebuild(self, identity: Identity) -> None:
        """Drop it and make it again, with all that hangs on it."""
        entry = self.context.old.catalogue.get(identity)
        if entry is None or identity in self.rebuilt:
            return
        if _comes_with_its_view(entry) and entry.parent not in self.rebuilt:
            assert entry.parent is not None, "a column has a parent"
            self._rebuild(entry.parent)
            return
        if holds_data(entry) and identity in self.context.new.catalogue:
            raise CannotWrite(identity)
        self.rebuilt.add(identity)
        for child in self.context.old.children(identity):
            self._rebuild(child.identity)
        for dependent in self.context.old.needed_by.get(identity, ()):
            self._rebuild(dependent)

    def nodes(self) -> Iterator[Node]:
        """The things to do, in no order."""
        old, new = self.context.old, self.context.new
        gone, made = self.removed | self.rebuilt, self.added | (self.rebuilt & new.catalogue.keys())
        for identity in gone:
            if not self._goes_with_another(old.catalogue[identity], gone):
                yield Node("drop", identity)
        for identity in made:
            if not self._comes_with_another(new.catalogue[identity], made):
                yield Node("create", identity)
        for identity in self.altered:
            if identity not in self.rebuilt:
                yield Node("alter", identity)

    def _goes_with_another(self, entry: CatalogueObject, gone: set[Identity]) -> bool:
        """Whether it needs no line of its own to go."""
        if entry.identity in self.context.separate:
            return False
        return _comes_with_its_view(entry) or any(above in gone for above in self.context.old.ancestors(entry.identity))

    def _comes_with_another(self, entry: CatalogueObject, made: set[Identity]) -> bool:
        """Whether it needs no line of its own to come."""
        if _comes_with_its_view(entry):
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
        return self.altered[node.identity]

    def _mark(self, entry: CatalogueObject) -> Iterator[MigrateOperation]:
        """On the way up, what destroys data says so; on the way down, the run itself counts the rows and asks."""
        if self.context.models is not None and holds_data(entry) and entry.identity in self.removed:
            yield Comment(f"Destroys data: {entry.kind} {'.'.join(filter(None, (entry.identity.table, entry.name)))}")


def _comes_with_its_view(entry: CatalogueObject) -> bool:
    return (
        entry.kind is Kind.COLUMN
        and entry.parent is not None
        and entry.parent.kind in (Kind.VIEW, Kind.MATERIALIZED_VIEW)
    )
