"""What a downgrade has copied before it takes it away: `INSERT INTO b SELECT * FROM a`, `UPDATE t SET b = a`.

The text tells only from where to where. Whether the copy has a row or a value is asked of the server when the original
is about to go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, text

from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.recipes.names import plain

_COLUMNS = text(
    """
    SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = to_regclass(:table) AND attnum > 0
    AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
    """
)
_IS_TEMPORARY = text("SELECT relpersistence = 't' FROM pg_class WHERE oid = to_regclass(:table)")


class CopiedRows(NamedTuple):
    """Rows of one table that were written into another; no columns are all of them."""

    source: str
    columns: tuple[str, ...]
    target: str
    into: tuple[str, ...]


class CopiedColumn(NamedTuple):
    """A column whose values were written into another one of its table."""

    table: str
    source: str
    target: str


@dataclass
class Copies:
    """Those of one revision, as far as it has come."""

    _rows: list[CopiedRows] = field(default_factory=list)
    _columns: list[CopiedColumn] = field(default_factory=list)

    @property
    def originals(self) -> Iterator[str]:
        """Tables and columns, without their schemas."""
        yield from (_bare(each.source) for each in self._rows)
        yield from (f"{_bare(each.table)}.{plain(each.source)}" for each in self._columns)

    def follow(self, statement: str) -> None:
        """`statement` is about to be carried out."""
        for reader in statements(statement):
            if reader.accept("INSERT INTO"):
                self._rows += _rows(reader, {})
            elif reader.accept("UPDATE"):
                self._columns += _columns(reader)

    def without_copy(self, connection: Connection, table: str, rows: str, going: Sequence[str]) -> str:
        """Of `rows` of `table`, as `FROM ... WHERE ...`, those of which no other table has a copy; "" where all count.

        What is `going` at the same time keeps nothing.
        """
        for each in self._rows:
            kept = _bare(each.source) == _bare(table) and _bare(each.target) not in map(_bare, going)
            if kept and (columns := whole_rows(connection, each)):
                source, target = map(", ".join, zip(*columns, strict=True))
                return f"FROM (SELECT {source} {rows} EXCEPT ALL SELECT {target} FROM {each.target}) missing"
        return ""

    def other_column(self, table: str, column: str) -> str:
        """The column that was given the values of this one; "" where there is none."""
        here = _bare(table), plain(column)
        return next((each.target for each in self._columns if (_bare(each.table), plain(each.source)) == here), "")


def copied(statement: str) -> Iterator[str]:
    """Tables and columns, without their schemas, of which it makes copies."""
    copies = Copies()
    copies.follow(statement)
    yield from copies.originals


def whole_rows(connection: Connection, copied: CopiedRows) -> list[tuple[str, str]]:
    """Each column of the original with that of the copy; none where the copy has not all of them, or does not last."""
    there = list(connection.scalars(_COLUMNS, {"table": copied.source}))
    columns = list(copied.columns or there)
    into = list(copied.into) or list(connection.scalars(_COLUMNS, {"table": copied.target}))[: len(columns)]
    whole = {*map(plain, there)} == {*map(plain, columns)} and len(into) == len(columns)
    lasting = whole and not connection.scalar(_IS_TEMPORARY, {"table": copied.target})
    return list(zip(columns, into, strict=True)) if lasting else []


def moved(statement: str) -> Iterator[CopiedRows]:
    """Rows that are deleted and written elsewhere at once: `WITH x AS (DELETE ... RETURNING *) INSERT INTO ...`."""
    for reader in statements(statement):
        if reader.accept("WITH"):
            deleted: dict[str, CopiedRows] = {}
            while name := reader.name():
                reader.accept("AS")
                inside = reader.parentheses()
                if inside.accept("DELETE FROM"):
                    inside.accept("ONLY")
                    source = inside.name()
                    if inside.skip_to("RETURNING") and (columns := _list(inside)) is not None:
                        deleted[plain(name)] = CopiedRows(source, columns, "", ())
                if not reader.accept(","):
                    break
            if reader.accept("INSERT INTO"):
                yield from _rows(reader, deleted)


def _rows(reader: Reader, deleted: dict[str, CopiedRows]) -> Iterator[CopiedRows]:
    """Of an INSERT, if it takes the columns of another table as they are."""
    target = reader.name()
    into = tuple(each.name() for each in reader.parentheses().split()) if reader.comes("(") else ()
    columns: tuple[str, ...] = ()
    if not reader.accept("TABLE"):
        listed = _list(reader) if reader.accept("SELECT") else None
        if listed is None or not reader.accept("FROM"):
            return
        columns = listed
    reader.accept("ONLY")
    source = reader.name()
    if origin := deleted.get(plain(source)):
        if reader.done:  # else not all of them may be written
            yield CopiedRows(origin.source, columns or origin.columns, target, into)
    elif not deleted:
        yield CopiedRows(source, columns, target, into)


def _list(reader: Reader) -> tuple[str, ...] | None:
    """The columns of a list; () for `*`, None for what is computed."""
    if reader.accept("*"):
        return ()
    found = [reader.name()]
    while reader.accept(","):
        found.append(reader.name())
    return tuple(found) if all(found) and (reader.done or reader.comes("FROM")) else None


def _columns(reader: Reader) -> Iterator[CopiedColumn]:
    reader.accept("ONLY")
    table = reader.name()
    if reader.accept("SET"):
        for part in reader.split():
            column = part.name()
            if part.accept("="):
                value = part.parentheses().name() if part.comes("(") else part.name()
                rest = part.rest()
                if value and (not rest or rest[0].keyword in ("WHERE", "RETURNING")):
                    yield CopiedColumn(table, value, column)


def _bare(table: str) -> str:
    return plain(table).rpartition(".")[2]
