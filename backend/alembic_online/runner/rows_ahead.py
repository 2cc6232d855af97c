"""Rows that break a rule which a revision sets further down, looked for before anything of it is done.

A large table is changed step by step, each committed: a key that the last line cannot make would leave the lines above
it done. So where a rule (NOT NULL, CHECK, UNIQUE, PRIMARY KEY, FOREIGN KEY) is about columns that are there and that no
line above it changes, its rows are looked at first. The operation itself looks again when it comes.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from alembic.script import Script
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.postgres.sqlstate import sqlstate
from alembic_online.recipes.bypass import is_large
from alembic_online.recipes.constraint import obstacle_columns
from alembic_online.recipes.cutover.statement_forms import names_of
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import last_part
from alembic_online.recipes.orphan_rows import orphans
from alembic_online.recipes.precheck import Obstacle
from alembic_online.runner.written_statements import written_statements

_MAY_SET_ONE = re.compile(
    r"create_(unique|check)_constraint|create_primary_key|create_foreign_key|unique=True|alter_column\(.*nullable=False"
    r"|SET\s+NOT\s+NULL|ADD\s+(CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN)|CREATE\s+UNIQUE",
    re.IGNORECASE | re.DOTALL,
)
_OF_A_STATEMENT = ("22", "42", "2B")  # classes: what is written, or a value
_TABLES = ("CREATE TABLE", "DROP TABLE")
_QUIET = (
    *("CREATE INDEX", "CREATE UNIQUE INDEX", "DROP INDEX", "COMMENT", "GRANT", "REVOKE", "CREATE VIEW", "DROP VIEW"),
    *("CREATE TYPE", "CREATE TRIGGER"),
)
"""After which every row is as it was."""
_RULES = ("CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY KEY", "FOREIGN KEY")
_SETTINGS = ("SET DEFAULT", "DROP DEFAULT", "SET NOT NULL", "DROP NOT NULL", "SET STATISTICS", "SET STORAGE")


class _Rule(NamedTuple):
    table: str
    names: set[str]
    """The tables, and their columns, that it is about."""
    obstacle: Callable[[], Obstacle]


def look_ahead(connection: Connection, script: Script, direction: str, database: Database) -> None:
    """Raise `RevisionFailed` for the first rows that break a rule of a later line on a large table."""
    if not _MAY_SET_ONE.search(Path(script.path).read_text(encoding="utf-8")):
        return  # nearly all revisions: nothing is read or asked for them
    for rule in _rules(script, direction, database):
        if is_large(rule.table, script, database):
            _look(connection, rule.obstacle())


def _look(connection: Connection, obstacle: Obstacle) -> None:
    try:
        obstacle.look(connection)
    except DBAPIError as error:
        if error.connection_invalidated or (sqlstate(error) or "")[:2] not in _OF_A_STATEMENT:
            raise  # what is not there, or cannot be compared, the operation itself will tell


def _rules(script: Script, direction: str, database: Database) -> Iterator[_Rule]:
    """Those of the second statement on: of the first, nothing comes before it."""
    changed: set[str] = set()
    for number, sql in enumerate(written_statements(script, direction)):
        (reader, *_) = statements(sql)
        found = [] if number == 0 else list(_of_statement(sql, database))
        yield from (rule for rule in found if not rule.names & changed)
        if not _note(reader, sql, changed):
            return


def _note(reader: Reader, sql: str, changed: set[str]) -> bool:
    """Note which tables and columns are other ones after it; False where rows may be, of this or any other table."""
    if reader.accept_any(*_TABLES):
        changed |= names_of(sql)
    elif reader.accept("ALTER TABLE"):
        reader.accept("IF EXISTS")
        reader.accept("ONLY")
        table = last_part(plain(reader.name()))
        for action in reader.split():
            changed |= {each if each == table else f"{table}.{each}" for each in _changed(action, table)}
    else:
        return reader.accept_any(*_QUIET) is not None
    return True


def _changed(action: Reader, table: str) -> set[str]:
    """The columns that an action makes other ones, or the table itself."""
    words = {plain(token.text) for token in action.rest()}
    if action.comes("RENAME TO", "SET SCHEMA", "ATTACH", "DETACH", "DISABLE", "ENABLE"):
        return {table}
    if action.accept_any("ADD", "DROP") and (action.comes(*_RULES) or action.accept("CONSTRAINT")):
        return set()
    if action.accept("ALTER"):
        action.accept("COLUMN")
        action.name()
        return set() if action.comes(*_SETTINGS) else words
    return set() if action.comes("VALIDATE") else words


def _of_statement(sql: str, database: Database) -> Iterator[_Rule]:
    for reader in statements(sql):
        if reader.accept("CREATE UNIQUE INDEX"):
            reader.accept("CONCURRENTLY")
            name = reader.name()
            if reader.accept("ON") and (table := reader.name()):
                yield from _unique(f"{name} on {table}", table, reader)
        elif reader.accept("ALTER TABLE"):
            reader.accept("ONLY")
            table = reader.name()
            for action in reader.split():
                yield from _of_action(action, table, sql, database)


def _of_action(action: Reader, table: str, sql: str, database: Database) -> Iterator[_Rule]:
    if action.accept("ALTER"):
        action.accept("COLUMN")
        column = action.name()
        if action.accept("SET NOT NULL"):
            yield _nulls(table, [column], database)
        return
    if not action.accept("ADD") or action.has("VALID") or action.has("ENFORCED"):
        return
    name = action.name() if action.accept("CONSTRAINT") else ""
    if action.accept("CHECK"):
        inside = action.parentheses().rest()
        condition = sql[inside[0].start : inside[-1].start + len(inside[-1].text)] if inside else "true"
        what = (f"{name or 'the new check'} on {table}", "rows that break it", f"NOT ({condition})")
        yield _Rule(table, _names(table, names_of(condition)), partial(_rows, table, *what, database))
    elif action.accept("FOREIGN KEY"):
        yield from _foreign_key(action, table, name)
    elif (kind := action.accept_any("UNIQUE", "PRIMARY KEY")) is not None:
        if kind == "PRIMARY KEY":
            listed = _listed(Reader(action.rest()))
            yield _nulls(table, listed, database)
        yield from _unique(f"{name or 'the new key'} on {table}", table, action)


def _nulls(table: str, columns: Sequence[str], database: Database) -> _Rule:
    missing = " OR ".join(f"{column} IS NULL" for column in columns)
    what = f"NOT NULL on {', '.join(f'{table}.{column}' for column in columns)}"
    found = partial(_rows, table, what, "rows without a value", missing or "false", database)
    return _Rule(table, _names(table, columns), found)


def _rows(table: str, what: str, found: str, condition: str, database: Database) -> Obstacle:
    return Obstacle(what, found, f"SELECT {obstacle_columns(table, database)} FROM {table} WHERE {condition}")


def _foreign_key(action: Reader, table: str, name: str) -> Iterator[_Rule]:
    columns = _listed(action)
    if action.accept("REFERENCES"):
        parent, referred = action.name(), _listed(action)
        if columns and len(columns) == len(referred) and not action.has("FULL"):
            names = _names(table, columns) | _names(parent, referred)
            pairs = list(zip(columns, referred, strict=True))
            yield _Rule(table, names, partial(orphans, table, parent, name or "the new foreign key", pairs))


def _unique(what: str, table: str, reader: Reader) -> Iterator[_Rule]:
    if reader.accept("NULLS NOT DISTINCT"):
        return
    reader.accept("NULLS DISTINCT")
    columns = _listed(reader)
    if columns and not reader.has("WHERE") and not reader.has("OVERLAPS") and not reader.has("USING"):
        present = " AND ".join(f"{column} IS NOT NULL" for column in columns)
        numbers = ", ".join(str(number) for number in range(1, len(columns) + 1))
        select = f"SELECT {', '.join(columns)}, count(*) AS times FROM {table} WHERE {present}"
        select += f" GROUP BY {numbers} HAVING count(*) > 1"
        found = partial(Obstacle, what, "values that occur more than once", select)
        yield _Rule(table, _names(table, columns), found)


def _names(table: str, columns: Iterable[str]) -> set[str]:
    own = last_part(plain(table))
    return {own, *(f"{own}.{plain(each)}" for each in columns)}


def _listed(reader: Reader) -> list[str]:
    """Plain columns; none where one is more than its name."""
    parts = [(part.name(), part.done) for part in reader.parentheses().split()]
    return [name for name, _ in parts] if all(name and done for name, done in parts) else []
