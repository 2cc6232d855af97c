"""Columns that number their rows: identity, and a default that takes the next value of a sequence.

From one to the other the position is kept, and a sequence that is new begins after the numbers that exist.
"""

from collections.abc import Iterator
from typing import Any

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.op_rendering import Call, Code, code, sql
from alembic_online.autogenerate.sequence_options import altered_words, moves, option
from alembic_online.autogenerate.server_default import NONE, identity
from alembic_online.autogenerate.writers.sequences import SequenceWriter
from alembic_online.autogenerate.writers.writer import literal
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind

_LONGEST = 63


def swapped_sequence(change: Change, context: Context) -> CatalogueObject | None:
    """The column's own sequence, that comes instead of an identity or goes for one."""
    if Attribute.IDENTITY not in change.attributes:
        return None
    here, there = (context.new, context.old) if change.before.has(Attribute.IDENTITY) else (context.old, context.new)
    sequences = here.children(change.identity, Kind.SEQUENCE)
    return next((entry for entry in sequences if entry.identity not in there.catalogue), None)


def given_up(change: Change, context: Context) -> Iterator[MigrateOperation]:
    """The lines that take an identity away, and the sequence that it leaves to its successor."""
    if not change.before.has(Attribute.IDENTITY) or change.after.has(Attribute.IDENTITY):
        return
    sequence = swapped_sequence(change, context)
    if sequence is not None:
        old = change.before.text(Attribute.IDENTITY_SEQUENCE)
        yield from _aside(old)
        yield from SequenceWriter().create(sequence, context)
        yield sql(_continue(literal(quoted(sequence.schema, sequence.name)), _old_name(old)))
    yield _call(change, context, NONE, existing_server_default=code("sa.Identity"))


def taken_up(change: Change, context: Context) -> Iterator[MigrateOperation]:
    """The lines that make an identity, change one, or let a new sequence begin after the numbers that exist."""
    before, after = change.before.attributes, change.after.attributes
    if Attribute.IDENTITY in before and Attribute.IDENTITY in after:
        yield from _altered(change)
    elif Attribute.IDENTITY in after:
        yield from _made(change, context)
    elif "nextval" in str(after.get(Attribute.DEFAULT, "")) and Attribute.IDENTITY not in before:
        for sequence in context.new.children(change.identity, Kind.SEQUENCE):
            if sequence.identity not in context.old.catalogue:
                yield _after_rows(change, literal(quoted(sequence.schema, sequence.name)), sequence)


def _made(change: Change, context: Context) -> Iterator[MigrateOperation]:
    sequence, name = swapped_sequence(change, context), _its_sequence(change.identity)
    if sequence is not None:
        yield from _aside(quoted(sequence.schema, sequence.name))
        yield sql(f"ALTER SEQUENCE {_old_name(quoted(sequence.schema, sequence.name))} OWNED BY NONE")
    made = identity(change.after)
    assert made is not None, "it has one"
    yield _call(change, context, made)
    if sequence is None:
        yield _after_rows(change, name, change.after)
        return
    old = _old_name(quoted(sequence.schema, sequence.name))
    yield sql(_continue(name, old))
    yield sql(f"DROP SEQUENCE {old}")


def _altered(change: Change) -> Iterator[MigrateOperation]:
    words = [f"SET {word}" if word != "RESTART" else word for word in altered_words(change.before, change.after)]
    if Attribute.IDENTITY in change.attributes:
        words.insert(0, f"SET GENERATED {change.after.text(Attribute.IDENTITY).upper()}")
    if words:
        for statement in moves(change.before, change.after, _its_sequence(change.identity)):
            yield sql(statement)
        column = f"ALTER COLUMN {quoted(change.identity.name)}"
        yield sql(f"ALTER TABLE {quoted(change.identity.schema, change.identity.table)} {column} {' '.join(words)}")


def _after_rows(change: Change, sequence: str, limits: CatalogueObject) -> MigrateOperation:
    """Else the first rows that are added would get numbers that are taken."""
    column, table = quoted(change.identity.name), quoted(change.identity.schema, change.identity.table)
    least = option(limits, Attribute.MINIMUM)
    return sql(f"SELECT setval({sequence}, max({column})) FROM {table} HAVING max({column}) >= {least}")


def _aside(sequence: str) -> Iterator[MigrateOperation]:
    """Its name is wanted by the one that comes."""
    yield sql(f"ALTER SEQUENCE {sequence} RENAME TO {_old_name(sequence).rpartition('.')[2]}")


def _old_name(sequence: str) -> str:
    schema, _, name = sequence.rpartition(".")
    plain = name.strip('"').replace('""', '"')
    return f"{schema}.{quoted(plain[: _LONGEST - 4] + '_old')}"


def _continue(sequence: str, old: str) -> str:
    return f"SELECT setval({sequence}, nextval({literal(old)}), false)"


def _its_sequence(column: Identity) -> str:
    return f"pg_get_serial_sequence({literal(quoted(column.schema, column.table))}, {literal(column.name)})"


def _call(change: Change, context: Context, default: Code, **options: Any) -> MigrateOperation:
    _, schema, table, name = change.identity
    return Call("alter_column", table, name, server_default=default, **options, schema=context.schema_option(schema))
