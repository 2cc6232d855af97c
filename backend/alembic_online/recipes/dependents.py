"""What depends on a table or a column that another takes the place of: dropped before, made again after it.

What it is, and in which order, says `pg_depend`; the statements are those that autogenerate writes.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, Schema, quoted, read_schema
from alembic_online.autogenerate.dependency_order import Node, Order
from alembic_online.autogenerate.inheritance import Lineage, origin
from alembic_online.autogenerate.op_rendering import Statement
from alembic_online.autogenerate.writers import writer_of
from alembic_online.autogenerate.writers.routines import routine_name
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind
from alembic_online.recipes.cutover.cutover import CutOver
from alembic_online.recipes.database import Database

_ROUTINES = (Kind.FUNCTION, Kind.PROCEDURE)
_REMADE = frozenset({Kind.VIEW, Kind.TRIGGER, Kind.RULE, Kind.POLICY, *_ROUTINES})
_OWN = frozenset({Kind.TRIGGER, Kind.RULE, Kind.POLICY})
"""What hangs on a table and is made after it."""
_CARRIED = frozenset({Kind.CONSTRAINT, Kind.INDEX, Kind.STATISTICS, Kind.SEQUENCE, Kind.PUBLICATION})
"""What whoever rebuilds the table or column carries over himself, or says that he cannot."""
_KINDS = {Kind.MATERIALIZED_VIEW: "view", Kind.PROCEDURE: "function"}
"""By which words a statement that drops one is known."""


@dataclass(frozen=True)
class Dependents:
    """Statements, and what stands in the way."""

    drop_views: list[str]
    """Before anything else is locked: whoever reads a view has locked it before its tables."""
    locks: list[str]
    """The tables that the others lock."""
    drop: list[str]
    create: list[str]
    others: list[str]
    """In words: what cannot be made again without work on its rows, or not at all."""
    materialized: tuple[tuple[str, str], ...] = ()
    """Materialized views, by schema and name, that need nothing else which is made again."""


def dependents_of_tables(
    database: Database, tables: Iterable[tuple[str, str]], ignored: Collection[str] = (), *, gone_above: bool = False
) -> Dependents:
    """What depends on tables, by schema and name, that are dropped; and their own triggers, rules and policies, which
    go with them, but for the triggers that are `ignored`. With `gone_above`, what the revision drops above is gone."""
    found = _read(database)
    roots = {Identity(Kind.TABLE, schema, "", table) for schema, table in tables}
    own = {each for root in roots for each in _descendants(found, root)}
    cut_over = database.cut_over if gone_above else CutOver()
    others = _closure(found, {*roots, *own}, cut_over) - own
    entangled = {each for each in own if found.needs.get(each, frozenset()) & others and each.kind not in _OWN}
    hanging = {each for each in own if each.kind in _OWN and each.name not in ignored}
    hanging = {each for each in hanging if not _is_given_up(found, each, cut_over)}
    return _statements(found, others, hanging, entangled)


def dependents_of_column(database: Database, tables: Iterable[tuple[str, str]], column: str) -> Dependents:
    """What depends on a column that is dropped, from a table (by schema and name) and its partitions."""
    found = _read(database)
    roots = {Identity(Kind.COLUMN, schema, table, column) for schema, table in tables}
    closure = _closure(found, roots, database.cut_over)
    materialized = {each for each in closure if _reads_only(found, each, closure)}
    rest = {each for each in closure - materialized if materialized.isdisjoint(found.ancestors(each))}
    dependents = _statements(found, rest, set(), set())
    return replace(dependents, materialized=tuple((each.schema, each.name) for each in sorted(materialized)))


def _reads_only(schema: Schema, identity: Identity, closure: set[Identity]) -> bool:
    """A materialized view whose query names the column itself, and leans on no key: `GROUP BY` it, say."""
    needs = schema.needs.get(identity, frozenset())
    return identity.kind is Kind.MATERIALIZED_VIEW and not any(
        each.kind is Kind.CONSTRAINT or each in closure for each in needs
    )


def _read(database: Database) -> Schema:
    with database.scratch() as connection:
        return read_schema(connection)


def _descendants(schema: Schema, identity: Identity) -> Iterator[Identity]:
    for child in schema.children(identity):
        yield child.identity
        yield from _descendants(schema, child.identity)


def _closure(schema: Schema, roots: set[Identity], cut_over: CutOver) -> set[Identity]:
    """All that would have to go with `roots`, but for what is carried over, and what the revision itself drops."""
    found: set[Identity] = set()
    waiting = list(roots)
    while waiting:
        identity = waiting.pop()
        hanging = _descendants(schema, identity) if identity in found else iter(())
        for each in (*schema.needed_by.get(identity, ()), *hanging):
            kept = each not in found and each not in roots and each.kind not in _CARRIED
            if kept and not _is_given_up(schema, each, cut_over):
                found.add(each)
                waiting.append(each)
    return found


def _is_given_up(schema: Schema, identity: Identity, cut_over: CutOver) -> bool:
    """Whether the revision drops it, or what it goes with: a partition's column goes with the partitioned table's."""
    kind = _KINDS.get(identity.kind, str(identity.kind))
    if cut_over.gives_up(kind, identity.table, identity.name.partition("(")[0]):
        return True
    entry = schema.catalogue.get(identity)
    source = origin(entry, schema) if entry is not None and entry.has(Attribute.INHERITED) else None
    return source is not None and _is_given_up(schema, source.identity, cut_over)


def _statements(schema: Schema, found: set[Identity], own: set[Identity], entangled: set[Identity]) -> Dependents:
    context = Context(schema, schema)
    columns = {each for each in found if _is_part(schema, each, found)}
    remade = {each for each in found - columns if each.kind in _REMADE}
    others = sorted(found - columns - remade) + sorted(entangled)
    lineage = Lineage(schema, schema)
    going = {
        each
        for each in remade
        if not any(above in remade for above in schema.ancestors(each))
        and not lineage.goes_by_itself(schema.catalogue[each], remade)
    }
    drops = [schema.catalogue[node.identity] for node in Order(context, [Node("drop", each) for each in going])]
    makes = [
        schema.catalogue[node.identity] for node in Order(context, [Node("create", each) for each in remade | own])
    ]
    views = {each for each in going if each.kind is Kind.VIEW}
    early = views | _closure(schema, views, CutOver())
    late = [entry for entry in drops if entry.identity not in early]
    return Dependents(
        [*_together([entry for entry in drops if entry.identity in early], context)],
        sorted({quoted(entry.schema, entry.identity.table) for entry in late if entry.identity.table}),
        [sql for entry in late for sql in _written(writer_of(entry).drop(entry, context))],
        [sql for entry in makes for sql in (*_written(_made(entry, lineage)), *_owner(entry))],
        [f"{each.kind} {quoted(each.table, each.name)}" for each in others],
    )


def _together(drops: list[CatalogueObject], context: Context) -> Iterator[str]:
    """Views that follow each other in one statement."""
    for kind, entries in groupby(drops, key=lambda entry: entry.kind):
        if kind is Kind.VIEW:
            yield f"DROP VIEW {', '.join(quoted(entry.schema, entry.name) for entry in entries)}"
        else:
            yield from (sql for entry in entries for sql in _written(writer_of(entry).drop(entry, context)))


def _made(entry: CatalogueObject, lineage: Lineage) -> list[MigrateOperation]:
    """A trigger of a partition comes with that of the table above: it may only fire otherwise."""
    context = Context(lineage.old, lineage.new)
    if not entry.has(Attribute.PART_OF):
        return writer_of(entry).create(entry, context)
    return writer_of(entry).alter(Change(lineage.as_it_comes(entry), entry), context) or []


def _is_part(schema: Schema, identity: Identity, found: set[Identity]) -> bool:
    """A view's column comes and goes with it."""
    return identity.kind is Kind.COLUMN and any(above in found for above in schema.ancestors(identity))


def _written(operations: list[MigrateOperation]) -> Iterator[str]:
    for operation in operations:
        assert isinstance(operation, Statement), "what is made again is made by SQL alone"
        yield operation.statement


def _owner(entry: CatalogueObject) -> Iterator[str]:
    """A view and a function of its owner's rights keep their owner."""
    if entry.kind is Kind.VIEW:
        yield f"ALTER VIEW {quoted(entry.schema, entry.name)} OWNER TO {quoted(entry.text(Attribute.OWNER))}"
    elif entry.kind in _ROUTINES:
        yield f"ALTER ROUTINE {routine_name(entry)} OWNER TO {quoted(entry.text(Attribute.OWNER))}"
