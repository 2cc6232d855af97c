"""What a downgrade is about to destroy, counted before it is gone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from src.postgres import sqlstate as state
from src.safety.apply.changed_values import conditions
from src.safety.apply.every_row import every_row
from src.safety.apply.gone import Gone, gone
from src.safety.errors import DataLoss

_COUNT_LIMIT = 10_000
_COUNT_SECONDS = 1.0  # a count must not hold up what comes after it
_ROWS, _VALUES, _CHANGED = ("row", "rows"), ("value", "values"), ("value changes", "values change")
_ITS_OWN = (state.UNDEFINED_TABLE, state.UNDEFINED_COLUMN, state.CANNOT_COERCE)
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


def losses(connection: Connection, statement: str) -> Iterator[Loss]:
    """Count what goes with `statement`, rows of tables and values of columns, and what it changes by a new type."""
    for each in gone(connection, statement):
        if each.is_sequence:
            position = connection.execute(text("SELECT pg_sequence_last_value(to_regclass(:name))"), {"name": each[0]})
            yield Loss(f"sequence {each}", f"its position, {position.scalar()}")
        elif count := _count(connection, each.relation, _rows(each), *(_VALUES if each.part else _ROWS)):
            yield Loss(f"{'column' if each.part else 'table'} {each}", count)
    yield from changed(connection, statement)


def changed(connection: Connection, statement: str) -> Iterator[Loss]:
    """Count the values that do not come back from a new type as they were."""
    for change, condition in conditions(connection, statement):
        if count := _count(connection, change.table, f"FROM {change.table} WHERE {condition}", *_CHANGED):
            yield Loss(f"column {change.table}.{change.column} as {change.kind}", count)


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


def _count(connection: Connection, table: str, rows: str, one: str, several: str) -> str:
    """How many, in words; "" for none."""
    try:
        with every_row(connection, seconds=_COUNT_SECONDS):
            query = f"SELECT count(*) FROM (SELECT {rows} LIMIT {_COUNT_LIMIT + 1}) x"
            count = int(connection.exec_driver_sql(query).scalar_one())
    except DBAPIError as error:
        why = state.sqlstate(error) or ""
        if why == state.QUERY_CANCELED:
            return f"many, not counted, {several}"
        if why == state.INSUFFICIENT_PRIVILEGE:  # a policy hides rows from this role, or it may read none
            return f"{several} that this role may not see" if _has_pages(connection, table) else ""
        if why in _ITS_OWN or why.startswith(state.DATA_EXCEPTION):
            return ""  # IF EXISTS, or an error that the statement itself is about to make
        raise
    if count > _COUNT_LIMIT:
        return f"more than {_COUNT_LIMIT} {several}"
    return f"{count} {one if count == 1 else several}" if count else ""


def _has_pages(connection: Connection, table: str) -> bool:
    return bool(connection.scalar(_HAS_PAGES, {"table": table}))
