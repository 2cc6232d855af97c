"""What a downgrade is about to destroy, counted before it is gone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from src.postgres import sqlstate as state
from src.safety.apply.changed_values import Restoring, changing
from src.safety.apply.every_row import every_row
from src.safety.apply.gone import Gone, gone
from src.safety.errors import DataLoss

_COUNT_LIMIT = 10_000
COUNT_SECONDS = 1.0
"""A count must not hold up what comes after it."""
_ITS_OWN = (
    state.UNDEFINED_TABLE,
    state.UNDEFINED_COLUMN,
    state.UNDEFINED_OBJECT,
    state.UNDEFINED_FUNCTION,
    state.CANNOT_COERCE,
    state.DATATYPE_MISMATCH,
    state.SYNTAX_ERROR,
)
_POSITION = text("SELECT pg_sequence_last_value(to_regclass(:name))")
_HAS_PAGES = text(
    """
    WITH RECURSIVE parts AS (
      SELECT to_regclass(:table)::oid AS oid UNION SELECT inhrelid FROM pg_inherits JOIN parts ON inhparent = oid
    )
    SELECT coalesce(sum(pg_relation_size(oid)), 0) > 0 FROM parts
    """
)


@dataclass(frozen=True)
class Loss:
    """Rows that go with a table, or values that go with a column."""

    what: str
    rows: str

    def __str__(self) -> str:
        return f"{self.what}: {self.rows}"


def losses(
    connection: Connection, statement: str, restoring: Restoring | None = None, *, seconds: float = COUNT_SECONDS
) -> Iterator[Loss]:
    """Count what goes with `statement`, rows of tables and values of columns, and what it changes by a new type.

    Each count ends after `seconds`, and says that there are many.
    """
    for each in gone(connection, statement):
        if each.is_sequence:
            position = connection.execute(_POSITION, {"name": each.relation}).scalar()
            yield Loss(f"sequence {each}", f"its position, {position}")
        elif found := _in_words(connection, each.relation, _count(connection, _rows(each), seconds), each.part):
            yield Loss(f"{'column' if each.part else 'table'} {each}", found)
    yield from changed(connection, statement, restoring, seconds=seconds)


def changed(
    connection: Connection, statement: str, restoring: Restoring | None = None, *, seconds: float = COUNT_SECONDS
) -> Iterator[Loss]:
    """Count the values that do not come back from a new type as they were, nor by the way of the upgrade."""
    for each in changing(connection, statement, restoring or {}):
        table, column, kind, _ = each.change
        what = f"column {table}.{column} as {kind}"
        for condition in each.conditions:
            count = _count(connection, f"FROM {table} WHERE {condition}", seconds)
            if isinstance(count, int) or not _is_of_values(count):
                break
        if count == 1:
            yield Loss(what, "1 value changes")
        elif isinstance(count, int) or not _is_of_values(count):
            if found := _in_words(connection, table, count, column):
                yield Loss(what, f"{found} change")
        elif not _is_of_values(_count(connection, f"FROM {table} WHERE ({each.new}) IS DISTINCT FROM NULL", seconds)):
            yield Loss(what, "values change, not counted")  # there is a way there, and none back


def refuse(lost: Mapping[str, Sequence[Loss]], allowed: Sequence[str], *, done: str) -> DataLoss:
    """The error for a downgrade without consent: what each revision destroys, and in words what is done already."""
    several = [
        f"  {f'{revision}: ' if lost.keys() - {revision} else ''}{loss}" for revision in lost for loss in lost[revision]
    ]
    shown = "\n".join(several[:4]) + (f"\n  and {len(several) - 4} more" if several[4:] else "")
    return DataLoss(
        f"The downgrade of {' and of '.join(lost)} destroys data, and {done}.",
        f"{shown}\nIf it may go: MIGRATION_ALLOW_DATA_LOSS={','.join([*allowed, *lost])} alembic downgrade ...",
    )


def _rows(each: Gone) -> str:
    value = f"({each.part}).{each.field}" if each.field else each.part
    # A composite value of which one field is NULL is neither NULL nor NOT NULL.
    condition = f" WHERE {value} IS DISTINCT FROM NULL" if value else ""
    return f"FROM {'ONLY ' if each.only else ''}{each.relation}{condition}"


def _count(connection: Connection, rows: str, seconds: float) -> int | str:
    """How many, up to one more than the limit; or the SQLSTATE of why not."""
    query = f"SELECT count(*) FROM (SELECT {rows} LIMIT {_COUNT_LIMIT + 1}) x"
    try:
        with every_row(connection, seconds=seconds):
            return int(connection.exec_driver_sql(query, execution_options={"no_parameters": True}).scalar_one())
    except DBAPIError as error:
        found = state.sqlstate(error) or ""
        if found in (state.QUERY_CANCELED, state.INSUFFICIENT_PRIVILEGE) or _is_of_values(found):
            return found
        raise


def _is_of_values(count: int | str) -> bool:
    """Whether it failed because of what is written or of a value: the statement itself will fail in the same way."""
    return isinstance(count, str) and (count in _ITS_OWN or count[:2] in (state.DATA_EXCEPTION, "23"))


def _in_words(connection: Connection, table: str, count: int | str, column: str) -> str:
    """What is lost; "" for nothing."""
    unit = "value" if column else "row"
    if count == state.QUERY_CANCELED:
        return f"many, not counted, {unit}s"
    if count == state.INSUFFICIENT_PRIVILEGE:  # a policy hides rows from this role, or it may read none
        return f"{unit}s that this role may not see" if connection.scalar(_HAS_PAGES, {"table": table}) else ""
    if isinstance(count, str) or not count:
        return ""
    if count > _COUNT_LIMIT:
        return f"more than {_COUNT_LIMIT} {unit}s"
    return f"{count} {unit}{'' if count == 1 else 's'}"
