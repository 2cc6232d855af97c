"""Rows that hold NULL get their value before any key goes, so that no key is missing while they are changed.

    DROP CONSTRAINT a_pkey; UPDATE a SET x = '' WHERE x IS NULL; ALTER x SET NOT NULL; ADD CONSTRAINT a_pkey ...

The UPDATE comes to the beginning where it means the same there: its column has the type already, the value is a
constant, and whatever rules the column now rules it afterwards too.
"""

import re
from collections.abc import Sequence

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Context
from alembic_online.autogenerate.op_rendering import Statement
from alembic_online.autogenerate.recreate_generated_columns import Done
from alembic_online.autogenerate.search_path_names import shortened
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind

_RULES = (Kind.CONSTRAINT, Kind.INDEX)
_CONSTANT = re.compile(r"(-?[\d.]+|true|false|'(?:[^']|'')*')(::[a-z][a-z ]*(\(\d+(,\d+)?\))?)?")


class Fill(Statement):
    """The UPDATE that gives a value to the rows that have none in a column."""

    def __init__(self, statement: str, column: Identity, value: str) -> None:
        super().__init__(shortened(statement))
        self.column, self.value = column, value


def fills_first(done: Sequence[Done], context: Context) -> tuple[list[MigrateOperation], list[Done]]:
    """The lines that come to the beginning, each with its remark, and what is left."""
    early: list[MigrateOperation] = []
    left: list[Done] = []
    rule_gone = False
    for each in done:
        rule_gone |= each.node.action == "drop" and each.node.identity.kind in _RULES
        at = next((at for at, line in enumerate(each.lines) if isinstance(line, Fill)), 0)
        fill = each.lines[at] if at else None
        if rule_gone and isinstance(fill, Fill) and _means_the_same(fill, context):
            early += each.lines[at - 1 : at + 1]
            each = each._replace(lines=[*each.lines[: at - 1], *each.lines[at + 1 :]])
        left.append(each)
    return early, left


def _means_the_same(fill: Fill, context: Context) -> bool:
    before, after = context.old.catalogue.get(fill.column), context.new.catalogue[fill.column]
    if before is None or before.parent is None or not _CONSTANT.fullmatch(fill.value):
        return False
    same = all(
        before.attributes.get(each) == after.attributes.get(each) for each in (Attribute.TYPE, Attribute.COLLATION)
    )
    rules = [
        each for kind in _RULES for each in context.old.children(before.parent, kind) if _rules(each, fill, context)
    ]
    return same and all(_stays(each, context) for each in rules)


def _rules(entry: CatalogueObject, fill: Fill, context: Context) -> bool:
    is_rule = entry.kind is Kind.CONSTRAINT or entry.has(Attribute.UNIQUE)
    return is_rule and fill.column in context.old.needs.get(entry.identity, frozenset())


def _stays(entry: CatalogueObject, context: Context) -> bool:
    """Whether it is there afterwards, maybe under another name, or as a key."""
    assert entry.parent is not None, "it belongs to a table"
    return any(_ruled(other) == _ruled(entry) for kind in _RULES for other in context.new.children(entry.parent, kind))


def _ruled(entry: CatalogueObject) -> str:
    """What it says, but for its kind where it is a key: the columns."""
    said = entry.text(Attribute.DEFINITION)
    return re.sub(r"^(PRIMARY KEY|UNIQUE) ", "", said)
