"""The type of a column, with the stored generated columns that read it: one statement, in which nobody misses them.

PostgreSQL refuses the type while they are there (`ATExecAlterColumnType`, 16 to 18), and takes all of it at once.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Context, quoted
from alembic_online.autogenerate.dependency_order import Node
from alembic_online.autogenerate.op_rendering import Call, sql
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Kind


class Done(NamedTuple):
    """A node with its lines."""

    node: Node
    lines: list[MigrateOperation]


def in_one_statement(done: Sequence[Done], context: Context) -> Iterator[MigrateOperation]:
    """The lines of all; where a run of them drops, retypes and adds columns of one table, the statement instead."""
    at = 0
    while at < len(done):
        end = _end(done, at, context)
        if end is None:
            yield from done[at].lines
            at += 1
        else:
            yield _statement(done[at:end], context)
            yield from (line for each in done[at:end] if each.node.action == "create" for line in each.lines[1:])
            at = end


def _end(done: Sequence[Done], start: int, context: Context) -> int | None:
    """Where such a run ends, that begins here."""
    at, gone, back = start, set(), set()
    while at < len(done) and _is_stored(done[at], "drop", context):
        gone.add(done[at].node.identity)
        at += 1
    first = at
    while at < len(done) and _is_type_alone(done[at]):
        at += 1
    if not gone or at == first:
        return None
    while at < len(done) and _is_stored(done[at], "create", context):
        back.add(done[at].node.identity)
        at += 1
    tables = {each.node.identity[1:3] for each in done[start:at]}
    return at if gone == back and len(tables) == 1 else None


def _is_stored(done: Done, action: str, context: Context) -> bool:
    node = done.node
    schema = context.old if action == "drop" else context.new
    if node.action != action or node.identity.kind is not Kind.COLUMN:
        return False
    first = done.lines[0] if done.lines else None
    stored = schema.catalogue[node.identity].text(Attribute.GENERATED).endswith("STORED")
    return stored and isinstance(first, Call) and first.name in ("drop_column", "add_column")


def _is_type_alone(done: Done) -> bool:
    """Whether it changes nothing else of a column."""
    if done.node.action != "alter" or done.node.identity.kind is not Kind.COLUMN or len(done.lines) != 1:
        return False
    (line,) = done.lines
    return (
        isinstance(line, Call)
        and line.name == "alter_column"
        and line.options.keys() - {"schema"} <= {"type_", "postgresql_using"}
        and "type_" in line.options
    )


def _statement(run: Sequence[Done], context: Context) -> MigrateOperation:
    _, schema, table, _ = run[0].node.identity
    actions = [_action(each, context) for each in run]
    return sql(f"ALTER TABLE {quoted(schema, table)} {', '.join(actions)}")


def _action(done: Done, context: Context) -> str:
    node, name = done.node, quoted(done.node.identity.name)
    if node.action == "drop":
        return f"DROP COLUMN {name}"
    entry = context.new.catalogue[node.identity]
    if node.action == "create":
        not_null = " NOT NULL" if entry.has(Attribute.NOT_NULL) else ""
        return f"ADD COLUMN {name} {_type(entry)} GENERATED {entry.attributes[Attribute.GENERATED]}{not_null}"
    (line,) = done.lines
    using = line.options.get("postgresql_using") if isinstance(line, Call) else None
    return f"ALTER COLUMN {name} TYPE {_type(entry)}{f' USING {using}' if using else ''}"


def _type(entry: CatalogueObject) -> str:
    collation = entry.attributes.get(Attribute.COLLATION)
    return f"{entry.attributes[Attribute.TYPE]}{f' COLLATE {collation}' if collation is not None else ''}"
