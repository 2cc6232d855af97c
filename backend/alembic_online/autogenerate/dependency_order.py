"""The order in which the things to do can run: what is needed is made before, and destroyed after, what needs it."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import product
from typing import Literal, NamedTuple

from alembic_online.autogenerate.cannot_write import CannotWrite
from alembic_online.autogenerate.context import Context, Schema
from alembic_online.autogenerate.foreign_keys import is_key, keys_on_partitions, referred_table
from alembic_online.autogenerate.inheritance import origin, type_of_rows
from alembic_online.autogenerate.row_types import returned_parts
from alembic_online.autogenerate.shared_names import names, same_routine
from alembic_online.autogenerate.sql_body_references import mentions
from alembic_online.postgres.catalogue import Attribute, Identity, Kind
from alembic_online.postgres.catalogue.dependencies import Dependencies

Action = Literal["detach", "drop", "alter", "create", "attach"]
# A table leaves its parents before, and joins others after, anything is done to them: nothing waits for it to join.
_PHASE = {"detach": 0, "create": 1, "alter": 1, "drop": 2, "attach": 3}
_AWAY: tuple[Action, Action] = ("drop", "detach")
_BACK: tuple[Action, Action] = ("create", "attach")
# What is made late if nothing needs it sooner. A function of language SQL is read when it is made, and PostgreSQL keeps
# no record of what its text names: so tables come before functions.
_LATE = (Kind.FUNCTION, Kind.PROCEDURE, Kind.AGGREGATE, Kind.INDEX, Kind.STATISTICS, Kind.VIEW, Kind.MATERIALIZED_VIEW)
_LATER = (Kind.TRIGGER, Kind.RULE, Kind.POLICY, Kind.EVENT_TRIGGER, Kind.PUBLICATION)
_KINDS = [kind for kind in Kind if kind not in _LATE + _LATER] + list(_LATE + _LATER)
_RANK = {kind: rank for rank, kind in enumerate(_KINDS)}


class Node(NamedTuple):
    """One thing to do with one object."""

    action: Action
    identity: Identity

    @property
    def rank(self) -> tuple[int, int, str, str, str]:
        """What may come in any order comes in this one: what is made first, what is destroyed last."""
        kind = _RANK[self.identity.kind] * (-1 if self.action == "drop" else 1)
        return _PHASE[self.action], kind, self.identity.schema, self.identity.table, self.identity.name


class Order:
    """Which of the nodes waits for which, by what the objects need and by the names they take."""

    def __init__(
        self,
        context: Context,
        nodes: Sequence[Node],
        disturbed: Iterable[tuple[Identity, Identity]] = (),
        replaced: Mapping[Identity, Identity] | None = None,
    ) -> None:
        """`disturbed` are pairs of an object that is altered, and one that must not be there meanwhile; `replaced` are
        objects that are altered together with another."""
        self.context, self.nodes, self.disturbed = context, nodes, disturbed
        self._by_identity: defaultdict[Identity, dict[Action, Node]] = defaultdict(dict)
        for node in nodes:
            self._by_identity[node.identity][node.action] = node
        for identity, head in (replaced or {}).items():
            self._by_identity[identity]["alter"] = Node("alter", head)

    def __iter__(self) -> Iterator[Node]:
        """The nodes, each after those it waits for. Raises `CannotWrite` for a circle."""
        waits_for = self._edges()
        sorter = TopologicalSorter({node: waits_for.get(node, ()) for node in self.nodes})
        try:
            sorter.prepare()
        except CycleError as error:
            circle = sorted({node.identity for node in error.args[1]})
            needed = ", ".join(f"{identity.kind} {identity.name}" for identity in circle[1:])
            why = f"there is no order in which it and {needed} could be made and dropped"
            raise CannotWrite(circle[0], why) from None
        ready: list[tuple[object, Node]] = []
        while sorter.is_active():
            for node in sorter.get_ready():
                heapq.heappush(ready, (node.rank, node))
            _, node = heapq.heappop(ready)
            yield node
            sorter.done(node)

    def _edges(self) -> dict[Node, set[Node]]:
        edges: defaultdict[Node, set[Node]] = defaultdict(set)
        by_need = (self._needs, self._ownership, self._disturbances, self._defaults)
        waits = (*by_need, self._one_name, self._inherited, self._keys)
        for first, second in (pair for find in waits for pair in find()):
            if first != second:
                edges[second].add(first)
        for first, second in (*self._overloads(), *self._mentioned(), *self._returned()):
            if not _waits(first, second, edges):  # two functions may call each other
                edges[second].add(first)
        return edges

    def _needs(self) -> Iterator[tuple[Node, Node]]:
        """Pairs of nodes, the first of which comes before the second, because one object needs another."""
        old, new = self.context.old.needs, self.context.new.needs
        for identity, needs in new.items():
            for later in self._doing(identity, "create", "alter"):
                for needed in _without_owner(identity, needs):
                    actions: tuple[Action, ...] = ("create",) if _owns(identity, needed, new) else ("create", "alter")
                    others = self._doing(needed, *actions)
                    yield from ((sooner, later) for sooner in others if not self._finishes(sooner, later))
        for identity, needs in old.items():
            for sooner in self._doing(identity, "drop", "alter"):
                for needed in _without_owner(identity, needs):
                    if sooner.action == "alter" and self._loosened(identity, needed):
                        continue
                    given_up = sooner.action == "drop" or needed not in new.get(identity, ())
                    actions = ("drop", "alter") if given_up and not _owns(identity, needed, old) else ("drop",)
                    yield from ((sooner, later) for later in self._doing(needed, *actions))

    def _finishes(self, alter: Node, create: Node) -> bool:
        """Whether one gives a part of what the other makes, and which came with that, what it has of its own."""
        parts = self.context.new.ancestors(alter.identity)
        return alter.action == "alter" and create.action == "create" and create.identity in parts

    def _disturbances(self) -> Iterator[tuple[Node, Node]]:
        """What is in the way of an alteration goes before it and comes back after it."""
        for altered, dependent in self.disturbed:
            if alter := self._by_identity[altered].get("alter"):
                yield from ((sooner, alter) for word in _AWAY for sooner in self._doing(dependent, word))
                yield from ((alter, later) for word in _BACK for later in self._doing(dependent, word))

    def _ownership(self) -> Iterator[tuple[Node, Node]]:
        """A sequence is made without its column, for whose default it may be, and tied to it when that is there."""
        for node in self.nodes:
            if node.identity.kind is Kind.SEQUENCE and node.action == "alter":
                before, after = (schema.catalogue[node.identity] for schema in (self.context.old, self.context.new))
                if after.parent is not None:
                    yield from ((sooner, node) for sooner in self._doing(after.parent, "create"))
                if before.parent is not None:
                    yield from ((node, later) for later in self._doing(before.parent, "drop"))

    def _overloads(self) -> Iterator[tuple[Node, Node]]:
        """Where a function gets other arguments, a call may fit both: the old one goes first."""
        routines = [node for node in self.nodes if node.identity.kind in (Kind.FUNCTION, Kind.PROCEDURE)]
        for gone, made in product(routines, routines):
            if (gone.action, made.action) == ("drop", "create") and same_routine(gone.identity, made.identity):
                yield gone, made

    def _mentioned(self) -> Iterator[tuple[Node, Node]]:
        """What a function's body may mean comes before it."""
        done = {node.identity: node for node in self.nodes if node.action in ("create", "alter")}
        for reader, named in mentions(self.context.new, done):
            yield done[named], done[reader]

    def _returned(self) -> Iterator[tuple[Node, Node]]:
        """What a function returns the rows of is as it shall be before the function is made."""
        made = {node.identity: node for node in self.nodes if node.action in ("create", "alter")}
        for function, part in returned_parts(self.context.old, self.context.new, made):
            done = self._by_identity[part]
            yield from ((done[action], made[function]) for action in ("create", "alter", "drop") if action in done)

    def _keys(self) -> Iterator[tuple[Node, Node]]:
        """A foreign key comes when only one key fits, else it may bind to one that goes; it goes before partitions."""
        dropped = [node for node in self.nodes if node.action == "drop"]
        gone = [node for node in dropped if is_key(self.context.old.catalogue[node.identity])]
        for entry in self.context.new.catalogue.values() if gone else ():
            if entry.kind is Kind.CONSTRAINT and entry.attributes[Attribute.TYPE] == "foreign key":
                for made in self._doing(entry.identity, "create"):
                    yield from ((drop, made) for drop in gone if drop.identity[1:3] == referred_table(entry))
        for key, partition in keys_on_partitions(self.context.old) if dropped else ():
            yield from product(self._doing(key, "drop"), self._doing(partition, "drop"))

    def _doing(self, identity: Identity, *actions: Action) -> Iterator[Node]:
        """The nodes that do one of these with the object: its own, or else those of what it comes and goes with."""
        schema = self.context.old if "drop" in actions else self.context.new
        for candidate in (identity, *schema.ancestors(identity)):
            wanted = actions if candidate == identity else actions[:1]
            found = [
                self._by_identity[candidate][action] for action in wanted if action in self._by_identity[candidate]
            ]
            if found:
                yield from found
                return

    def _one_name(self) -> Iterator[tuple[Node, Node]]:
        """What gives up a name goes before what takes it."""
        given_up: defaultdict[tuple[str, ...], list[Node]] = defaultdict(list)
        for node in self.nodes:
            if node.action == "drop":
                for name in self._names(node, self.context.old):
                    given_up[name].append(node)
        for node in self.nodes:
            if node.action == "create":
                for name in self._names(node, self.context.new):
                    yield from ((drop, node) for drop in given_up.get(name, ()))

    def _names(self, node: Node, schema: Schema) -> Iterator[tuple[str, ...]]:
        """The names of an object, and of what comes or goes with it."""
        yield from names(schema.catalogue[node.identity])
        for child in schema.children(node.identity):
            if child.kind is not Kind.COLUMN and node.action not in self._by_identity[child.identity]:
                yield from self._names(Node(node.action, child.identity), schema)

    def _loosened(self, identity: Identity, needed: Identity) -> bool:
        """Whether a column or a domain lets go of this function before it is altered."""
        has_default = identity.kind in (Kind.COLUMN, Kind.DOMAIN) and needed.kind is Kind.FUNCTION
        return has_default and "detach" in self._by_identity[identity]

    def _defaults(self) -> Iterator[tuple[Node, Node]]:
        """A column or a domain is without its default while the function that this calls is rebuilt."""
        old, new = self.context.old.needs, self.context.new.needs
        for node in self.nodes:
            if _is_link(node) and node.identity.kind in (Kind.COLUMN, Kind.DOMAIN):
                lost, own = node.action == "detach", self._doing(node.identity, "alter")
                yield from ((node, alter) if lost else (alter, node) for alter in own)
                for needed in (old if lost else new).get(node.identity, ()):
                    others = self._doing(needed, *(("drop",) if lost else ("create", "alter")))
                    yield from ((node, other) if lost else (other, node) for other in others)

    def _inherited(self) -> Iterator[tuple[Node, Node]]:
        """What is done to the parent's object comes before what is done to the child's."""
        for later in self.nodes:
            if later.action == "create" and later.identity.kind is Kind.TABLE:
                for column in self.context.new.children(later.identity, Kind.COLUMN):
                    if (of_type := type_of_rows(column, self.context.new)) is not None:
                        attribute = Identity(Kind.COLUMN, *of_type, column.name)
                        yield from ((sooner, later) for sooner in self._doing(attribute, "create", "alter"))
            if later.action in ("create", "alter"):
                source = origin(self.context.new.catalogue[later.identity], self.context.new)
                if source is not None:
                    yield from ((sooner, later) for sooner in self._doing(source.identity, "create", "alter"))
                if later.action == "alter":  # what came with a new table gets what it has of its own
                    yield from ((sooner, later) for sooner in self._doing(later.identity, "create"))


def _is_link(node: Node) -> bool:
    return node.action in ("detach", "attach")


def _without_owner(identity: Identity, needs: Iterable[Identity]) -> Iterator[Identity]:
    """A sequence needs the column that owns it, and this needs the sequence for its default: there is no such order."""
    return (needed for needed in needs if identity.kind is not Kind.SEQUENCE or needed.kind is not Kind.COLUMN)


def _owns(column: Identity, sequence: Identity, needs: Dependencies) -> bool:
    return sequence.kind is Kind.SEQUENCE and column in needs.get(sequence, ())


def _waits(node: Node, for_this: Node, edges: Mapping[Node, set[Node]]) -> bool:
    """Whether one node waits for another, over others too."""
    seen, open_ = {node}, [node]
    while open_:
        for sooner in edges.get(open_.pop(), ()):
            if sooner == for_this:
                return True
            if sooner not in seen:
                seen.add(sooner)
                open_.append(sooner)
    return False
