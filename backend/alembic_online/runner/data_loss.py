"""What a downgrade is about to destroy, counted before it is gone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from alembic_online.errors import DataLoss
from alembic_online.postgres import sqlstate as state
from alembic_online.postgres.sql.constants import is_constant
from alembic_online.postgres.sql.tokens import Kind, tokens
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import last_part
from alembic_online.runner.copied_values import Copies
from alembic_online.runner.dropped_data import Gone, deleted, gone
from alembic_online.runner.lossy_casts import changing
from alembic_online.runner.overwritten_values import overwritten
from alembic_online.runner.reversible_losses import WaysBack
from alembic_online.runtime.history import BOOKKEEPING
from alembic_online.runtime.row_security import every_row
from alembic_online.text import listed

_COUNT_LIMIT = 10_000
COUNT_SECONDS = 1.0
"""A count must not hold up what comes after it."""
_NOT_COUNTED = (state.QUERY_CANCELED, state.INSUFFICIENT_PRIVILEGE)
_OF_A_STATEMENT = (state.DATA_EXCEPTION, "0A", "23", "34", "42", "P0")  # classes: what is written, or a value
_FOREIGN = "HV"
_NOTHING = WaysBack()
_POSITION = text("SELECT pg_sequence_last_value(to_regclass(:name))")
_DEFAULT = text(
    """
    SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
    JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE a.attrelid = to_regclass(:table) AND quote_ident(a.attname) = :column AND a.attgenerated = ''
    """
)
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
    connection: Connection,
    statement: str,
    ways: WaysBack = _NOTHING,
    *,
    copies: Copies | None = None,
    parameters: Any = None,
    seconds: float = COUNT_SECONDS,
    types: bool = True,
) -> Iterator[Loss]:
    """Count what goes with `statement`, rows of tables and values of columns, and what it changes by new `types`.

    What `copies` have is not lost. Each count ends after `seconds`, and says that there are many. `parameters` are
    those of the statement, as the driver takes them.
    """
    count, copies = _Count(connection, seconds, parameters), copies or Copies()
    going = list(gone(connection, statement))
    tables = [each.relation for each in going if not each.part]
    for each in going:
        if each.is_sequence:
            position = connection.execute(_POSITION, {"name": each.relation}).scalar()
            yield Loss(f"sequence {each}", f"its position, {position}")
        elif not each.part:
            missing = copies.without_copy(connection, each.relation, _rows(each), tables)
            if found := count.words(each.relation, missing, _rows(each), unit="row"):
                yield Loss(f"table {each}", found)
        elif found := count.words(each.relation, _kept(connection, each, going, ways, copies), _rows(each)):
            yield Loss(f"column {each}", found)
    if not ways.inserts:  # what an upgrade has put there a downgrade takes away
        for table, rows in deleted(statement):
            missing = copies.without_copy(connection, table, rows, ())
            if last_part(plain(table)) not in BOOKKEEPING and (found := count.words(table, missing, rows, unit="row")):
                yield Loss(f"table {table}", found)
    for value in overwritten(statement):
        if not ways.writes_over(value.table) and (found := count.words(value.table, value.rows, value.filled)):
            yield Loss(f"column {value.table}.{value.column}", f"{found} written over")
    if types:
        yield from _changed(count, statement, ways)


def changed(connection: Connection, statement: str, ways: WaysBack = _NOTHING) -> Iterator[Loss]:
    """Count the values that do not come back from a new type as they were, nor by the way of the upgrade."""
    return _changed(_Count(connection, COUNT_SECONDS, None), statement, ways)


def _changed(count: "_Count", statement: str, ways: WaysBack) -> Iterator[Loss]:
    for each in changing(count.connection, statement, ways.conversion):
        table, column, kind, _ = each.change
        what = f"column {table}.{column} as {kind}"
        for condition in each.conditions:
            found = count(f"FROM {table} WHERE {condition}")
            if not _is_of_values(found):
                break
        if found == 1:
            yield Loss(what, "1 value changes")
        elif not _is_of_values(found):
            if words := count.in_words(table, found, "value"):
                yield Loss(what, f"{words} change")
        elif not _is_of_values(count(f"FROM {table} WHERE ({each.new}) IS DISTINCT FROM NULL")):
            yield Loss(what, "values change, not counted")  # there is a way there, and none back


def holds_nothing(connection: Connection, table: str, column: str) -> bool:
    """Whether all of a column is NULL, as far as that is seen within a second."""
    return _Count(connection, COUNT_SECONDS, None)(f"FROM {table} WHERE {column} IS DISTINCT FROM NULL") == 0


def refuse(lost: Mapping[str, Sequence[Loss]], allowed: Sequence[str], *, done: str) -> DataLoss:
    """The error for a downgrade without consent: what each revision destroys, and in words what is done already."""
    several = [
        f"  {f'{revision}: ' if lost.keys() - {revision} else ''}{loss}" for revision in lost for loss in lost[revision]
    ]
    shown = "\n".join(several[:4]) + (f"\n  and {len(several) - 4} more" if several[4:] else "")
    return DataLoss(
        f"The downgrade of {listed(lost, ' and of ')} destroys data, and {done}.",
        f"{shown}\nIf it may go: MIGRATION_ALLOW_DATA_LOSS={','.join([*allowed, *lost])} alembic downgrade ...",
    )


def _kept(connection: Connection, each: Gone, going: Sequence[Gone], ways: WaysBack, copies: Copies) -> str:
    """The values of a column but for those that are in another one, or come back with it; "" for all of them."""
    if each.field:
        return ""
    same = ways.computation(each.relation, each.part)
    if same is None and (other := copies.other_column(each.relation, each.part)):
        same = None if each._replace(part=other) in going else other
    if same is None and ways.repeated:
        default = connection.scalar(_DEFAULT, {"table": each.relation, "column": each.part})
        same = default if default is not None and is_constant(default) else None
    return f"{_rows(each)} AND {each.part} IS DISTINCT FROM {same}" if same is not None else ""


def _rows(each: Gone) -> str:
    value = f"({each.part}).{each.field}" if each.field else each.part
    # A composite value of which one field is NULL is neither NULL nor NOT NULL.
    condition = f" WHERE {value} IS DISTINCT FROM NULL" if value else ""
    return f"FROM {'ONLY ' if each.only else ''}{each.relation}{condition}"


def _is_of_values(count: int | str) -> bool:
    """Whether it failed because of what is written or of a value: the statement itself will fail in the same way."""
    return isinstance(count, str) and count not in _NOT_COUNTED


class _Count:
    """Counts rows on one connection; what the server refuses is known by its SQLSTATE."""

    def __init__(self, connection: Connection, seconds: float, parameters: Any) -> None:
        self.connection, self._seconds = connection, seconds
        self._parameters = None if isinstance(parameters, list) else parameters

    def __call__(self, rows: str) -> int | str:
        """How many, up to one more than the limit; or the SQLSTATE of why not."""
        query, parameters = _only_used(
            f"SELECT count(*) FROM (SELECT {rows} LIMIT {_COUNT_LIMIT + 1}) x", self._parameters
        )
        options = {"no_parameters": parameters is None}
        try:
            with every_row(self.connection, seconds=self._seconds):
                result = self.connection.exec_driver_sql(query, parameters, execution_options=options)
                return int(result.scalar_one())
        except DBAPIError as error:
            found = state.sqlstate(error) or ""
            if found[:2] == _FOREIGN:  # a partition's rows are on another server, which does not answer
                return state.QUERY_CANCELED
            if error.connection_invalidated or (found[:2] not in _OF_A_STATEMENT and found not in _NOT_COUNTED):
                raise
            return found

    def words(self, table: str, rows: str, all_rows: str, *, unit: str = "value") -> str:
        """What is lost of `rows`; of `all_rows` where there are none, or what they hold cannot be compared."""
        found = self(rows or all_rows)
        return self.in_words(table, self(all_rows) if rows and _is_of_values(found) else found, unit)

    def in_words(self, table: str, count: int | str, unit: str) -> str:
        """The same of what was counted."""
        if count == state.QUERY_CANCELED:
            return f"many, not counted, {unit}s"
        if count == state.INSUFFICIENT_PRIVILEGE:  # a policy hides rows from this role, or it may read none
            full = self.connection.scalar(_HAS_PAGES, {"table": table})
            return f"{unit}s that this role may not see" if full else ""
        if isinstance(count, str) or not count:
            return ""
        if count > _COUNT_LIMIT:
            return f"more than {_COUNT_LIMIT} {unit}s"
        return f"{count} {unit}{'' if count == 1 else 's'}"


def _only_used(query: str, parameters: Any) -> tuple[str, Any]:
    """Of `$1, $2, ...` those that the query names, numbered from one: the server wants no others."""
    numbered = [token for token in tokens(query) if token.kind is Kind.PARAMETER]
    if not isinstance(parameters, tuple) or not numbered:
        return query, parameters
    used = sorted({int(token.text[1:]) for token in numbered})
    for token in reversed(numbered):
        number = used.index(int(token.text[1:])) + 1
        query = f"{query[: token.start]}${number}{query[token.start + len(token.text) :]}"
    return query, tuple(parameters[number - 1] for number in used)
