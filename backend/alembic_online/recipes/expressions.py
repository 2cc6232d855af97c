"""The parts of an index: columns and expressions, in some order."""

from typing import Any, TypeAlias

from sqlalchemy import Index
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression
from sqlalchemy.sql.expression import ColumnClause

Part: TypeAlias = ColumnElement[Any] | str
_ORDERS = (operators.desc_op, operators.asc_op, operators.nulls_first_op, operators.nulls_last_op)


def without_order(part: Part) -> Part:
    """The part without DESC, NULLS FIRST and the like."""
    while isinstance(part, UnaryExpression) and part.modifier in _ORDERS:
        part = part.element
    return part


def is_expression(part: Part) -> bool:
    """Whether it is computed, and no plain column."""
    return not isinstance(without_order(part), ColumnClause)


def column_names(index: Index) -> list[str]:
    """What PostgreSQL calls the parts when it makes up a name: a column's name, or `expr`."""
    return [
        "expr" if is_expression(part) else str(getattr(without_order(part), "name", part)) for part in index.expressions
    ]
