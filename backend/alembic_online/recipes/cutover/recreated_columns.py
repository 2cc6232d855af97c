"""A stored generated column that goes, a type, and the column again: three lines that are carried out as one statement.

    ALTER TABLE t DROP COLUMN g; ALTER TABLE t ALTER a TYPE bigint; ALTER TABLE t ADD COLUMN g ... STORED

One by one, clients would miss the column for as long as the table is copied, once for each line. So the first ones are
kept until the column comes back, and `recreate_generated_columns` does all of it with one new table.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeVar

from alembic_online.postgres.locks.reader import single, statements
from alembic_online.recipes.cutover.pending_statements import Postponed, Waiting
from alembic_online.recipes.cutover.replaced_type import StandIn, with_stand_in_names
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import literal, plain
from alembic_online.recipes.object_effects import GivenUp, same_name
from alembic_online.recipes.recreate_generated_columns import generated_again
from alembic_online.recipes.step import OnlineChange, Step

_STORED = """
    SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(:table) AND attgenerated = 's' AND NOT attisdropped
    AND lower(attname) = :column
"""
# PostgreSQL drops it along with the column, so that its own line finds none.
_CHECKS = """
    SELECT 1 FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
    WHERE conrelid = to_regclass(:table) AND contype = 'c' AND lower(conname) = :name
      AND lower(attname) = ANY (:columns)
"""


_T = TypeVar("_T", Waiting, Postponed)


@dataclass(frozen=True)
class Line:
    """`ALTER TABLE table action`, of one action."""

    table: str
    kind: str
    """`drop`, `type`, `add` for a stored generated column, `check` for a constraint that goes; else ""."""
    name: str
    """Of the column or constraint, plain."""
    action: str

    def comes_for(self, other: "Line") -> bool:
        """Whether it adds a column in the place of that which the other drops, if only a plain one."""
        return self.kind == "add" and self.name == other.name


def line(sql: str) -> Line | None:
    """What `sql` says, if it is such a statement."""
    reader = single(sql)
    if reader is None or not reader.accept("ALTER TABLE") or reader.comes("IF EXISTS", "ONLY"):
        return None
    table, actions = reader.name(), list(reader.split())
    if not table or len(actions) != 1:
        return None
    (action,) = actions
    last = action.rest()[-1]
    end = last.start + len(last.text)
    if action.accept("DROP CONSTRAINT"):
        written = action.name()
        return Line(table, "check" if action.done else "", plain(written), f"DROP CONSTRAINT {written}")
    verb = action.accept_any("DROP", "ADD", "ALTER")
    if verb is None:
        return None
    action.accept("COLUMN")
    start = action.rest()[0].start
    action.accept_any("IF EXISTS", "IF NOT EXISTS")
    name = plain(action.name())
    stored = action.has("GENERATED") and action.has("STORED")
    is_kind = {"DROP": action.done, "ADD": stored, "ALTER": action.comes("TYPE", "SET DATA TYPE")}[verb]
    kind = {"DROP": "drop", "ADD": "add", "ALTER": "type"}[verb] if is_kind else ""
    return Line(table, kind, name, f"{verb} COLUMN {sql[start:end]}")


@dataclass(frozen=True)
class Recreated:
    """Of one table: what waits to be dropped, and is or becomes a stored generated column, and what is kept until it
    comes back."""

    table: str
    dropped: list[tuple[Line, Waiting]]
    kept: list[tuple[Line, Postponed]]
    last: Line

    @property
    def missing(self) -> list[Waiting]:
        """Those that are dropped and not made again so far."""
        back = {each.name for each, _ in self.kept if each.kind == "add"} | {self.last.name}
        return [waiting for each, waiting in self.dropped if each.name not in back]

    def change(self, database: Database) -> tuple[str, OnlineChange, list[Waiting]] | None:
        """The statement, its online way, and what waits no longer; None where it has none."""
        missing = self.missing
        dropped = [(each, waiting) for each, waiting in self.dropped if waiting not in missing]
        checks = _checks(self.table, [each.name for each, _ in dropped], database)
        parts = [each for each, _ in (*checks, *dropped, *self.kept)]
        sql = f"ALTER TABLE {self.table} {', '.join(each.action for each in [*parts, self.last])}"
        types = database.cut_over.stand_ins(sql)
        sql = with_stand_in_names(sql, types)
        (reader,) = statements(sql)
        reader.accept("ALTER TABLE")
        reader.name()
        change = generated_again(list(reader.split()), self.table, sql, database, joins=bool(types))
        if change is None:
            return None
        if types:  # they are made before, and get their names in the cut-over
            change = replace(change, steps=chain(_made(types, database), change.steps))
        return sql, change, [waiting for _, waiting in (*checks, *dropped)]


def recreated(sql: str, database: Database, computed_below: Callable[[GivenUp], bool]) -> Recreated | None:
    """For a line that gives a column a type, or brings a stored generated one back, where one of the table waits."""
    here = line(sql)
    if here is None or here.kind not in ("type", "add"):
        return None

    kept = _lines(here.table, database.cut_over.postponed)

    def is_recreated(each: Line) -> bool:
        comes = any(one.comes_for(each) for one in (here, *(one for one, _ in kept)))
        if comes or computed_below(GivenUp("column", plain(here.table), each.name)):
            return True
        return bool(database.ask(_STORED, table=here.table, column=each.name))

    waiting = _lines(here.table, database.cut_over.waiting)
    dropped = [(each, one) for each, one in waiting if each.kind == "drop" and is_recreated(each)]
    if not dropped or (here.kind == "add" and not any(here.comes_for(each) for each, _ in dropped)):
        return None
    return Recreated(here.table, dropped, kept, here)


def _made(types: Sequence[StandIn], database: Database) -> Iterator[Step]:
    for each in types:
        if database.cut_over.use(each):
            yield Step(sql=each.create, unless=f"SELECT to_regtype({literal(each.made)}) IS NOT NULL")


def _lines(table: str, waiting: Sequence[_T]) -> list[tuple[Line, _T]]:
    found = [(line(each.sql), each) for each in waiting]
    return [(of, each) for of, each in found if of is not None and same_name(plain(of.table), plain(table))]


def _checks(table: str, columns: list[str], database: Database) -> list[tuple[Line, Waiting]]:
    return [
        (each, waiting)
        for each, waiting in _lines(table, database.cut_over.waiting)
        if each.kind == "check" and _goes_too(table, each.name, columns, database)
    ]


def _goes_too(table: str, name: str, columns: list[str], database: Database) -> bool:
    def find() -> bool:
        return bool(database.ask(_CHECKS, table=table, name=name, columns=columns))

    return database.recall_whether(f"{name} of {table} goes with a column", find)
