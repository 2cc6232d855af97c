"""JSON that PostgreSQL writes itself, as the answer of a hot query: nothing of it becomes a Python object on the way.

Moments, enums and UUIDs look as they do where pydantic writes them.
"""

from itertools import chain
from typing import Any

from sqlalchemy import JSON, ColumnElement, DateTime, Text, cast, func, literal_column
from sqlalchemy.dialects.postgresql import aggregate_order_by


def json_object(*columns: Any, **named: Any) -> ColumnElement[Any]:
    """An object of `columns` by their names, and of `named`."""
    members = {column.name: column for column in columns} | named
    # A name is written into the statement: as a parameter it would be sent again with every question.
    pairs: list[tuple[Any, Any]] = [(literal_column(f"'{name}'"), _shown(value)) for name, value in members.items()]
    return func.json_build_object(*chain.from_iterable(pairs))


def _shown(value: Any) -> Any:
    """A moment in UTC, as pydantic writes it: PostgreSQL's own JSON has the offset of the session's time zone."""
    if not isinstance(getattr(value, "type", None), DateTime):
        return value
    return func.to_char(
        func.timezone(literal_column("'UTC'"), value), literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")
    )


def json_list(item: ColumnElement[Any], *order: Any) -> ColumnElement[Any]:
    """The `item` of every row, in `order`; an empty list where there is none."""
    return func.coalesce(func.json_agg(aggregate_order_by(item, *order)), cast(literal_column("'[]'"), JSON))


def json_text(value: ColumnElement[Any]) -> ColumnElement[str]:
    """What is sent: as text, which no driver reads and writes again."""
    return cast(value, Text)
