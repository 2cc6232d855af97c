"""Values that a new type of their column rounds or cuts: those that do not come back from it as they were."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, text

from src.postgres.lock_modes.reader import Reader, statements

_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision", "money")
_TIMES = ("date", "time without time zone", "timestamp without time zone", "timestamp with time zone")
_STRINGS = ("text", "character varying", "character")
# By the type without its modifiers. What is not here keeps every value, or fails: a bigint too large for an integer.
_LOSSY = {
    **dict.fromkeys(("numeric", "double precision", "real"), _NUMBERS),
    "bigint": ("real", "double precision"),
    "integer": ("real",),
    **dict.fromkeys(_TIMES[1:], _TIMES),
    **dict.fromkeys(_STRINGS, _STRINGS),
    "vector": ("halfvec",),
}
_TYPES = text(
    """
    SELECT format_type(a.atttypid, a.atttypmod) AS written, a.atttypid::regtype::text AS was,
           to_regtype(:kind)::text AS becomes
    FROM pg_attribute a
    WHERE a.attrelid = to_regclass(:table) AND quote_ident(a.attname) = :column AND NOT a.attisdropped
    """
)


class Change(NamedTuple):
    """A column, all as SQL writes it; `value` is the new one."""

    table: str
    column: str
    kind: str
    value: str


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


def conditions(connection: Connection, statement: str) -> Iterator[tuple[Change, str]]:
    """Each change that may round or cut, with the condition for a row of which it does."""
    for change in changes(statement):
        table, column = change.table, change.column if change.column[0] == '"' else change.column.lower()
        types = connection.execute(_TYPES, {"table": table, "column": column, "kind": change.kind}).one_or_none()
        if types is not None and (types.becomes or "").rpartition(".")[2] in _LOSSY.get(
            types.was.rpartition(".")[2], ()
        ):
            back = f"CAST(CAST(({change.value}) AS {change.kind}) AS {types.written})"
            yield change, f"{change.column} IS DISTINCT FROM {back}"


def _type(action: Reader, statement: str, column: str) -> tuple[str, str]:
    """The type and the new value."""
    tokens = action.rest()
    end = tokens[-1].start + len(tokens[-1].text)
    using = next((token.start for token in tokens if token.keyword == "USING"), end)
    collate = next((token.start for token in tokens if token.keyword == "COLLATE"), end)
    return statement[tokens[0].start : min(using, collate)].strip(), statement[using:end][
        len("USING") :
    ].strip() or column
