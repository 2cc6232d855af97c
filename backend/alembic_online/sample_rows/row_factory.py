"""A row into each table, with PostgreSQL as the judge: what it refuses names a constraint, and its columns vary.

Two rows a table: one with a value in every column, one with as few as may be. What could not be filled is said.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from alembic_online.postgres.sqlstate import UNIQUE_VIOLATION, server_field, server_message, sqlstate
from alembic_online.sample_rows.tables import Column, Constraint, Table, read_tables, rows_of
from alembic_online.sample_rows.value_candidates import candidates

Hints = Mapping[str, Mapping[str, Sequence[str]]]
"""Table, column, values that it may have: for what no type and no check tells (a number with a check digit)."""
Values = dict[str, str | None]
_TRIES = 400
_DEFAULT = "DEFAULT"
_TAKEN = text(
    """
    SELECT place, value FROM unnest(CAST(:places AS int[]), CAST(:types AS text[]), CAST(:given AS text[]))
      WITH ORDINALITY AS tried (place, type, value, number)
    WHERE pg_input_is_valid(value, type) ORDER BY number
    """
)


@dataclass
class Filler:
    """Fills the tables of one database as they come and change."""

    hints: Hints = field(default_factory=dict)
    filled: dict[str, Table] = field(default_factory=dict)
    number: int = 0
    writable: set[str] = field(default_factory=set)
    """Tables into which a full row went."""

    def fill(self, connection: Connection, tables: Collection[Table] | None = None) -> list[str]:
        """Rows for each table that is new, has changed or is empty; a sentence for each that stays empty.

        `tables` are those that the database has, if they are known, those referred to first.
        """
        problems = []
        tables = read_tables(connection).values() if tables is None else tables
        empty = _empty(connection, tables)
        for table in tables:
            if self.filled.get(table.name) == table and table.name not in empty:
                continue
            self.filled[table.name] = table
            refused = [self.insert(connection, table, table.columns, sparse=sparse) for sparse in (False, True)]
            if not refused[0]:
                self.writable.add(table.name)
            if all(refused) and _empty(connection, [table]):
                wanted = "give it values in the fixture migration_hints"
                problems.append(f"no row could be made for {table.short} ({refused[0]}); {wanted}")
        return problems

    def insert(self, connection: Connection, table: Table, columns: Sequence[Column], *, sparse: bool = False) -> str:
        """Insert one row by naming `columns`; what was refused at last, or nothing.

        A row that is only refused because there is one like it already counts as written: all else was in order.
        """
        self.number += 1
        groups = list(self._groups(connection, table, columns, sparse))
        chosen: list[Values] = [choices[0] for choices in groups]
        varied: dict[frozenset[int], Iterator[tuple[Values, ...]]] = {}
        refused, only_taken = "", False
        for _ in range(_TRIES):
            try:
                with connection.begin_nested():
                    _insert(connection, table, columns, chosen)
                return ""
            except DBAPIError as error:
                refused = server_message(error)
                only_taken |= sqlstate(error) == UNIQUE_VIOLATION
                culprits = _culprits(error, table, groups)
            if culprits not in varied:
                varied[culprits] = islice(product(*(groups[place] for place in sorted(culprits))), 1, None)
            other = next(varied[culprits], None)
            if other is None:
                break
            for place, values in zip(sorted(culprits), other, strict=True):
                chosen[place] = values
        return "" if only_taken else refused

    def _groups(
        self, connection: Connection, table: Table, columns: Sequence[Column], sparse: bool
    ) -> Iterator[list[Values]]:
        """Choices for each foreign key, then for each column that is in none."""
        open_ = {column.name: column for column in columns}
        for key in sorted(table.constraints, key=lambda key: -len(key.columns)):
            if key.type == "f" and key.table and set(key.columns) <= open_.keys():
                mine = [open_.pop(name) for name in key.columns]
                yield list(_references(connection, key, mine, sparse))
        hints = self.hints.get(table.short, {})
        given = {each: candidates(each, table, self.number, hints.get(each.name, ())) for each in open_.values()}
        for column, valid in _valid(connection, given).items():
            values: list[str | None] = [*valid, *([] if column.required else [None])]
            if column.default is not None and (sparse or "nextval" in column.default):
                values.insert(0, _DEFAULT)
            if sparse and not column.required:
                values.insert(0, None)
            yield [{column.name: value} for value in values or [None]]


def _valid(connection: Connection, given: Mapping[Column, list[str]]) -> dict[Column, list[str]]:
    """Those that type, length and checks of the domain take, by `pg_input_is_valid` (PostgreSQL 16); all if none."""
    texts = [(place, column.type, each) for place, (column, some) in enumerate(given.items()) for each in some]
    taken: dict[int, list[str]] = {}
    if texts:
        places, types, values = map(list, zip(*texts, strict=True))
        for place, value in connection.execute(_TAKEN, {"places": places, "types": types, "given": values}):
            taken.setdefault(place, []).append(value)
    return {column: taken.get(place, some) for place, (column, some) in enumerate(given.items())}


def _empty(connection: Connection, tables: Collection[Table]) -> set[str]:
    """The names of those without a row; one query."""
    queries = [f"SELECT {place}, EXISTS (SELECT FROM {table.name})" for place, table in enumerate(tables)]
    rows = rows_of(connection, " UNION ALL ".join(queries)) if queries else ()
    there = {place for place, filled in rows if filled}
    return {table.name for place, table in enumerate(tables) if place not in there}


def _references(connection: Connection, key: Constraint, mine: list[Column], sparse: bool) -> Iterator[Values]:
    nothing: Values = dict.fromkeys(key.columns)
    may_be_nothing = any(not column.required for column in mine)
    if sparse and may_be_nothing:
        yield nothing
    theirs = ", ".join(f"{name}::text" for name in key.referred)
    for row in connection.execute(text(f"SELECT {theirs} FROM {key.table} ORDER BY 1 DESC LIMIT 20")):
        yield dict(zip(key.columns, row, strict=True))
    yield nothing


def _insert(connection: Connection, table: Table, columns: Sequence[Column], chosen: Sequence[Values]) -> None:
    row = {name: value for values in chosen for name, value in values.items() if value != _DEFAULT}
    types = {column.name: column.type for column in columns}
    given = {f"v{place}": value for place, value in enumerate(row.values())}
    casts = ", ".join(f"CAST(:{place} AS {types[name]})" for place, name in zip(given, row, strict=True))
    values = f"({', '.join(row)}) VALUES ({casts})" if row else "DEFAULT VALUES"
    connection.execute(text(f"INSERT INTO {table.name} {values}"), given)


def _culprits(error: DBAPIError, table: Table, groups: Sequence[list[Values]]) -> frozenset[int]:
    """The places of the groups that may be to blame: those the server names, else all in turn."""
    name, column = server_field(error, "constraint_name"), server_field(error, "column_name")
    named = {each for constraint in table.constraints if constraint.name == name for each in constraint.columns}
    named |= {column} if column else set()
    datatype = server_field(error, "datatype_name")
    named |= {each.name for each in table.columns if datatype and _type_name(each) == datatype}
    found = frozenset(place for place, group in enumerate(groups) if named & group[0].keys())
    return found or frozenset(range(len(groups)))


def _type_name(column: Column) -> str:
    """Of the column's domain, or of that of its elements."""
    return column.type.rpartition(".")[2].removesuffix("[]")
