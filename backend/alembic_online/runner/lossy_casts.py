"""Values that a new type of their column rounds or cuts: those that do not come back from it as they were.

They are looked for by the way there and back. The way back is the server's own cast to the old type, or what the same
revision's upgrade did to get here: a value that one of them brings back is not lost.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import DBAPIError

from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.runner.trial_values import changed_by, trial_values
from alembic_online.runtime.row_security import every_row

Restoring: TypeAlias = Callable[[str, str], str | None]
"""By table and column: the value that the upgrade gave to the column's new type; None where that is not known."""

_TYPES = text(
    """
    WITH RECURSIVE col AS (
      SELECT a.* FROM pg_attribute a WHERE a.attrelid = to_regclass(:table) AND NOT a.attisdropped
      AND a.attgenerated = '' AND quote_ident(a.attname) = :column
    ), types(side, oid) AS (
      SELECT 'was', atttypid FROM col UNION ALL SELECT 'becomes', to_regtype(:kind)::oid
      UNION ALL SELECT side, t.typbasetype FROM types JOIN pg_type t USING (oid) WHERE t.typtype = 'd'
    ), base AS (
      SELECT side, t.oid, t.typcategory = 'A' AND t.typlen = -1 AND t.typelem <> 0 AS array,
             CASE WHEN t.typcategory = 'A' AND t.typlen = -1 AND t.typelem <> 0 THEN t.typelem ELSE t.oid END AS element
      FROM types JOIN pg_type t USING (oid) WHERE t.typtype <> 'd'
    )
    SELECT format_type(col.atttypid, col.atttypmod) AS written, col.atttypmod AS modifier,
           format_type(was.oid, -1) AS bare,
           was.element::regtype::text AS was, becomes.element::regtype::text AS becomes, was.array,
           format_type(becomes.oid, -1) AS bare_new,
           was.oid = becomes.oid OR was.array = becomes.array AND was.element = becomes.element
           OR EXISTS (SELECT FROM pg_cast c WHERE c.castmethod <> 'i' AND (
             c.castsource = becomes.oid AND c.casttarget = was.oid
             OR was.array AND becomes.array AND c.castsource = becomes.element AND c.casttarget = was.element
           )) AS has_cast
    FROM col, base was, base becomes WHERE was.side = 'was' AND becomes.side = 'becomes'
    """
)
_STRINGS = ("text", "character varying", "character")
# Types of which two values are the same in spite of another image: 1.0 and 1.00, 0 and -0.
_BY_VALUE = ("numeric", "real", "double precision", "jsonb", "numrange", "nummultirange")
_CAST = re.compile(
    r"::\s*(\"[^\"]+\"|[\w.])+( varying| precision| with(out)? time zone)?\s*(\([\d, ]*\))?(\[\d*\])*", re.I
)
_LENGTH = re.compile(r"\(\s*(\d+)\s*\)")


class Change(NamedTuple):
    """A column, all as SQL writes it; `value` is the new one."""

    table: str
    column: str
    kind: str
    value: str

    @property
    def is_cast(self) -> bool:
        """Whether the new value is that of the column by casts alone."""
        bare = re.sub(r"[()]", " ", _CAST.sub("", self.value)).strip()
        if found := re.fullmatch(r"CAST\s+(\S+)\s+AS\s.*", bare, re.IGNORECASE | re.DOTALL):
            bare = found[1]
        return bare == self.column or bare.lower() == self.column.lower()


@dataclass(frozen=True)
class Changing:
    """How to find the rows that a change would alter: the best condition first, the next where a row refuses it."""

    change: Change
    conditions: list[str]
    new: str
    """The new value: where this fails, the change itself fails."""


def changes(statement: str) -> Iterator[Change]:
    """Every ALTER COLUMN ... TYPE."""
    for reader in statements(statement):
        if reader.accept("ALTER TABLE"):
            reader.accept("IF EXISTS")
            tables = reader.names()
            for action in reader.split():
                if action.accept("ALTER"):
                    action.accept("COLUMN")
                    column = action.name()
                    if action.accept_any("TYPE", "SET DATA TYPE") and not action.done:
                        yield from (Change(table, column, *_type(action, statement, column)) for table in tables)


def changing(connection: Connection, statement: str, restoring: Restoring) -> Iterator[Changing]:
    """Each change that may alter values: by the server's judgement none of those that surely do not."""
    for change in changes(statement):
        types = _types(connection, change)
        if types is None:
            continue
        condition = _by_cast(change, types)
        if not change.is_cast or _changed_by(connection, change, types, condition) is not False:
            yield Changing(change, [*_with_upgrade(change, types, condition, restoring), condition], _new(change))


def cuts(connection: Connection, before: str, after: str) -> bool:
    """Whether a cast from one type to the other surely changes some value, and does not fail.

    Of a string it is not said: what it holds may be anything, or nothing but what fits. It begins a transaction, which
    is rolled back.
    """
    try:
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE of_type (value {before})")
        change = Change("pg_temp.of_type", "value", after, "value")
        types = _types(connection, change)
        if types is None or types.was in (*_STRINGS, "json"):
            return False
        return _changed_by(connection, change, types, _by_cast(change, types)) is True
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return False  # one of the two is no longer there, or not yet
    finally:
        connection.rollback()


def _types(connection: Connection, change: Change) -> Row[Any] | None:
    """None for what is not there or has no such type, which fails by itself, and for what is computed again."""
    column = change.column if change.column[0] == '"' else change.column.lower()
    given = {"table": change.table, "column": column, "kind": change.kind}
    return connection.execute(_TYPES, given).one_or_none()


def _changed_by(connection: Connection, change: Change, types: Row[Any], condition: str) -> bool | None:
    values = trial_values(connection, types.was, types.becomes, types.modifier)
    table = change.table.rpartition(".")[2]
    options = {"type_": types.written, "column": change.column, "table": table, "array": types.array}
    try:
        with every_row(connection):
            return changed_by(connection, values, condition, **options)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return None  # the rows themselves will tell


def _by_cast(change: Change, types: Row[Any]) -> str:
    new = _new(change)
    if types.has_cast:
        back = f"CAST({new} AS {types.bare})"
    else:
        name, written = types.bare.replace("'", "''"), f"CAST({new} AS text)"
        back = f"CASE WHEN pg_input_is_valid({written}, '{name}') THEN CAST({written} AS {types.bare}) END"
    condition = _differs(change, types, back)
    if types.becomes == "jsonb" and types.was in (*_STRINGS, "json") and change.is_cast:
        condition += f" AND CAST({change.column} AS text) IS NOT JSON WITH UNIQUE KEYS"  # spaces are no values
    return " AND ".join([condition, *_fitting(change, types)])


def _with_upgrade(change: Change, types: Row[Any], condition: str, restoring: Restoring) -> Iterator[str]:
    """The same, but for values that the upgrade's own way brings back."""
    value = restoring(change.table, change.column)
    if value is not None:
        inner = f"(SELECT {_new(change)} AS {change.column}) AS {change.table.rpartition('.')[2]}"
        back = f"(SELECT CAST(({value}) AS {types.bare}) FROM {inner})"
        yield f"{condition} AND {_differs(change, types, back)}"


def _differs(change: Change, types: Row[Any], back: str) -> str:
    old = f"CAST({change.column} AS {types.bare})"
    if types.was in _BY_VALUE:
        return f"{old} IS DISTINCT FROM {back}"
    if types.was == "character":  # spaces at its end are no value
        old, back = f"CAST({old} AS text{'[]' * types.array})", f"CAST({back} AS text{'[]' * types.array})"
    return f"CAST(ROW({old}) AS record) OPERATOR(pg_catalog.*<>) CAST(ROW({back}) AS record)"


def _fitting(change: Change, types: Row[Any]) -> Iterator[str]:
    """A value that is too long is no loss where it was not cut: the change fails, while the cast here cuts."""
    length = _LENGTH.search(change.kind)
    limit = int(length[1]) if length else 1
    if types.array or not (length or types.bare_new in ("bpchar", '"bit"')):
        return
    if types.becomes in ("character", "character varying"):
        yield f"char_length(rtrim(CAST(({change.value}) AS text), ' ')) <= {limit}"
    elif types.becomes in ("bit", "bit varying") and types.was in ("bit", "bit varying"):
        yield f"length(({change.value})) {'=' if types.becomes == 'bit' else '<='} {limit}"


def _new(change: Change) -> str:
    return f"CAST(({change.value}) AS {change.kind})"


def _type(action: Reader, statement: str, column: str) -> tuple[str, str]:
    """The type and the new value."""
    tokens = action.rest()
    end = tokens[-1].start + len(tokens[-1].text)
    using = next((token.start for token in tokens if token.keyword == "USING"), end)
    collate = next((token.start for token in tokens if token.keyword == "COLLATE"), end)
    kind = statement[tokens[0].start : min(using, collate)].strip()
    return kind, statement[using:end][len("USING") :].strip() or column
