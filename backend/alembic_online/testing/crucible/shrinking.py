"""A smaller example that fails in the same way: what can be left out is left out, piece by piece."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from alembic_online.testing.crucible.column_changes import less_column, tidied
from alembic_online.testing.crucible.example import Example
from alembic_online.testing.crucible.schema import Schema, Table, without

Fails = Callable[[Example], str]
"""The first fault of an example, or nothing."""
_WHERE = re.compile(r"Revision \w+, \w+\(\), line \d+ failed: |\w+Error: |\(psycopg\S+\) ")
_NAMES = re.compile(r"\W+|\b\w*[\d_]\w*\b|\"[^\"]*\"")


def kind_of(fault: str) -> str:
    """What two faults of one kind have in common: their first words, without names and numbers."""
    head, _, words = fault.partition(": ")
    return f"{head}: {' '.join(_NAMES.sub(' ', _WHERE.sub('', words)).split()[:4])}"


def shrink(example: Example, fault: str, fails: Fails, most: int = 50) -> Example:
    """The smallest that was found in so many runs."""
    runs = 0
    shrunk = True
    while shrunk:
        shrunk = False
        for smaller in _smaller(example):
            if runs >= most:
                return example
            runs += 1
            if kind_of(fails(smaller)) == kind_of(fault):
                example, shrunk = smaller, True
                break
    return example


def _smaller(example: Example) -> Iterator[Example]:
    """Each is valid, or fails in another way."""
    if example.interruptions:
        yield replace(example, interruptions=())
    for each in range(len(example.changes) if len(example.changes) > 1 else 0):
        yield replace(example, changes=(*example.changes[:each], *example.changes[each + 1 :]))
    for each in range(len(example.interruptions)):
        yield replace(example, interruptions=(*example.interruptions[:each], *example.interruptions[each + 1 :]))
    for each in range(len(example.habits)):
        yield replace(example, habits=(*example.habits[:each], *example.habits[each + 1 :]))
    if example.spelling:
        yield replace(example, spelling="")
    if example.mixed:
        yield replace(example, mixed=False)
    if example.phases:
        yield replace(example, phases=False)
    if example.writes:
        yield replace(example, writes=False)
    if example.driver:
        yield replace(example, driver="")
    if example.small:
        yield replace(example, small=0)
    for schema in _less(example.before):
        smaller = replace(example, before=schema)
        if smaller.after != schema:
            yield smaller
    if example.rows > 8:
        yield replace(example, rows=8)


def _less(schema: Schema) -> Iterator[Schema]:
    for each in schema.attached:
        yield replace(schema, attached=without(schema.attached, each.name))
    referred = {reference.table for table in schema.tables for reference in table.references}
    for table in schema.tables:
        if table.name not in referred and len(schema.tables) > 1:
            yield tidied(replace(schema, tables=without(schema.tables, table.name)))
    for table in schema.tables:
        for smaller in _parts(table):
            yield tidied(schema.having(smaller))
    used = {column.type for table in schema.tables for column in table.columns}
    for enum in schema.enums:
        if enum.name not in used:
            yield replace(schema, enums=without(schema.enums, enum.name))
    if schema.extensions and not any("vec" in type_ for type_ in used):
        yield replace(schema, extensions=())


def _parts(table: Table) -> Iterator[Table]:
    for index in table.indexes:
        yield replace(table, indexes=without(table.indexes, index.name))
    for rule in table.rules:
        yield replace(table, rules=without(table.rules, rule.name))
    for reference in table.references:
        yield replace(table, references=without(table.references, reference.name))
    for column in table.columns:
        if column.name not in table.key:
            yield less_column(table, column.name)
    for column in table.columns:
        if column.default and column.name not in table.key:
            yield table.having(replace(column, default=""))
    if table.partitions:
        yield replace(table, partitions=0)
