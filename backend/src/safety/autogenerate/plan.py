"""From one schema to another: which objects are dropped, created, altered or made anew, and in which order.

The way back is the same function with the two schemas the other way round; so a downgrade forgets nothing that the
upgrade knows.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from alembic.operations import MigrateOperation

from src.postgres.catalogue import CatalogueObject, Identity, Kind
from src.postgres.errors import UserError
from src.safety.autogenerate.context import Change, Context
from src.safety.autogenerate.foreign_keys import cyclic_foreign_keys
from src.safety.autogenerate.writers import writer_of

Action = Literal["drop", "alter", "create"]
# Relations of one schema share their names.
_RELATIONS = frozenset({Kind.TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.SEQUENCE, Kind.INDEX, Kind.FOREIGN_TABLE})
# What is made late if nothing needs it sooner. A function of language SQL is read when it is made, and PostgreSQL keeps
# no record of what its text names: so tables come before functions.
_LATE = (Kind.FUNCTION, Kind.PROCEDURE, Kind.AGGREGATE, Kind.INDEX, Kind.STATISTICS, Kind.VIEW, Kind.MATERIALIZED_VIEW)
_LATER = (Kind.TRIGGER, Kind.RULE, Kind.POLICY, Kind.EVENT_TRIGGER, Kind.PUBLICATION, Kind.DEFAULT_PRIVILEGES)
_KINDS = [kind for kind in Kind if kind not in _LATE + _LATER] + list(_LATE + _LATER)
_RANK = {kind: rank for rank, kind in enumerate(_KINDS)}


class CannotWrite(UserError):
    """A change for which there are no operations that keep the data."""

    def __init__(self, identity: Identity) -> None:
        super().__init__(
            f"Autogenerate cannot write this change: {identity.kind} {identity.name} would have to be made anew.",
            "Write the revision by hand, in steps that keep the data.",
        )


def holds_data(entry: CatalogueObject) -> bool:
    """Whether dropping it loses what cannot be made again from the schema."""
    return entry.kind is Kind.TABLE or (entry.kind is Kind.COLUMN and "generated" not in entry.attributes)


class Node(NamedTuple):
    """One thing to do with one object."""

    action: Action
    identity: Identity

    @property
    def rank(self) -> tuple[int, int, str, str, str]:
        """What may come in any order comes in this one: what is made first, what is destroyed last."""
        kind = _RANK[self.identity.kind]
        if self.action == "drop":
            return 1, -kind, self.identity.schema, self.identity.table, self.identity.name
        return 0, kind, self.identity.schema, self.identity.table, self.identity.name


def plan(context: Context) -> list[MigrateOperation]:
    """The operations that lead from `context.old` to `context.new`, in an order in which they can run."""
    old, new = context.old, context.new
    separate = cyclic_foreign_keys(old) | cyclic_foreign_keys(new)
    changes = Changes(replace(context, separate=separate))
    return [operation for node in changes.in_order() for operation in changes.operations(node)]


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
        self.nodes = list(self._nodes())
        self.by_identity: defaultdict[Identity, dict[Action, Node]] = defaultdict(dict)
        for node in self.nodes:
            self.by_identity[node.identity][node.action] = node

    def _alter(self, change: Change) -> None:
        writer = writer_of(change.identity.kind)
        operations = writer.alter(change, self.context)
        if operations is None:
            self._rebuild(change.identity)
            return
        self.altered[change.identity] = operations
        for dependent in self._disturbed(change):
            self._rebuild(dependent)

    def _disturbed(self, change: Change) -> Iterator[Identity]:
        disturbed = writer_of(change.identity.kind).disturbs(change)
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
        if holds_data(entry) and identity in self.context.new.catalogue:
            raise CannotWrite(identity)
        self.rebuilt.add(identity)
        for child in self.context.old.children(identity):
            self._rebuild(child.identity)
        for dependent in self.context.old.needed_by.get(identity, ()):
            self._rebuild(dependent)

    def _nodes(self) -> Iterator[Node]:
        old, new = self.context.old, self.context.new
        gone, made = self.removed | self.rebuilt, self.added | (self.rebuilt & new.catalogue.keys())
        for identity in gone:
            if not any(parent in gone for parent in old.ancestors(identity)) or identity in self.context.separate:
                yield Node("drop", identity)
        for identity in made:
            if not self._covered(new.catalogue[identity], made):
                yield Node("create", identity)
        for identity in self.altered:
            if identity not in self.rebuilt:
                yield Node("alter", identity)

    def _covered(self, entry: CatalogueObject, made: set[Identity]) -> bool:
        """Whether it comes with its parent, that is made as well."""
        if entry.parent is None or entry.parent not in made:
            return False
        parent = self.context.new.catalogue[entry.parent]
        return writer_of(parent.kind).covers(parent, entry, self.context)

    def operations(self, node: Node) -> list[MigrateOperation]:
        writer = writer_of(node.identity.kind)
        if node.action == "drop":
            return writer.drop(self.context.old.catalogue[node.identity], self.context)
        if node.action == "create":
            return writer.create(self.context.new.catalogue[node.identity], self.context)
        return self.altered[node.identity]

    def in_order(self) -> Iterator[Node]:
        """The nodes, each after those it waits for."""
        waits_for = self._edges()
        waiting = {node: set(waits_for.get(node, ())) for node in self.nodes}
        followers: defaultdict[Node, list[Node]] = defaultdict(list)
        for node, others in waiting.items():
            for other in others:
                followers[other].append(node)
        ready = [(node.rank, node) for node, others in waiting.items() if not others]
        heapq.heapify(ready)
        done = 0
        while ready:
            _, node = heapq.heappop(ready)
            yield node
            done += 1
            for follower in followers[node]:
                waiting[follower].discard(node)
                if not waiting[follower]:
                    heapq.heappush(ready, (follower.rank, follower))
        if done < len(waiting):
            circle = sorted(str(node) for node, others in waiting.items() if others)
            raise AssertionError(f"no order: {circle}")

    def _edges(self) -> dict[Node, set[Node]]:
        edges: defaultdict[Node, set[Node]] = defaultdict(set)
        for first, second in (*self._needs(), *self._one_name()):
            if first != second:
                edges[second].add(first)
        return edges

    def _needs(self) -> Iterator[tuple[Node, Node]]:
        """Pairs of nodes, the first of which comes before the second, because one object needs another."""
        for identity, needs in self.context.new.needs.items():
            for later in self._doing(identity, "create", "alter"):
                for needed in needs:
                    yield from ((sooner, later) for sooner in self._doing(needed, "create", "alter"))
        for identity, needs in self.context.old.needs.items():
            for sooner in self._doing(identity, "drop", "alter"):
                actions: tuple[Action, ...] = ("drop", "alter") if sooner.action == "drop" else ("drop",)
                for needed in needs:
                    yield from ((sooner, later) for later in self._doing(needed, *actions))

    def _doing(self, identity: Identity, *actions: Action) -> Iterator[Node]:
        """The nodes that do one of these with the object: its own, or else those of what it comes and goes with."""
        schema = self.context.old if "drop" in actions else self.context.new
        for candidate in (identity, *schema.ancestors(identity)):
            wanted = actions if candidate == identity else actions[:1]
            found = [self.by_identity[candidate][action] for action in wanted if action in self.by_identity[candidate]]
            if found:
                yield from found
                return

    def _one_name(self) -> Iterator[tuple[Node, Node]]:
        """What gives up a name goes before what takes it."""
        given_up: defaultdict[tuple[str, ...], list[Node]] = defaultdict(list)
        for node in self.nodes:
            if node.action == "drop":
                for name in names(self.context.old.catalogue[node.identity]):
                    given_up[name].append(node)
        for node in self.nodes:
            if node.action == "create":
                for name in names(self.context.new.catalogue[node.identity]):
                    yield from ((drop, node) for drop in given_up.get(name, ()))


def names(entry: CatalogueObject) -> Iterator[tuple[str, ...]]:
    """What no other object may be called or be at the same time."""
    kind, schema, table, name = entry.identity
    yield (kind, schema, table, name)
    index = kind is Kind.CONSTRAINT and entry.attributes["type"] in ("primary key", "unique", "exclusion")
    if kind in _RELATIONS or index:
        yield ("relation", schema, name)
    if kind in (Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE, Kind.RANGE, Kind.TABLE):
        yield ("type", schema, name)
    if entry.attributes.get("type") == "primary key":
        yield ("primary key", schema, table)
