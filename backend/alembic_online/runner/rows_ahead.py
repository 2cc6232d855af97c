"""Rows that break a rule which a revision sets further down, looked for before anything of it is done.

A large table is changed step by step, each committed: a key that the last line cannot make would leave the lines above
it done. So where a rule (NOT NULL, CHECK, UNIQUE, PRIMARY KEY, FOREIGN KEY, a type that has fewer values) is about
columns that are there, maybe under another name, and that no line above it changes, its rows are looked at first. The
operation itself looks again when it comes.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from alembic.script import Script
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from alembic_online.postgres.locks import strong_locks
from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.postgres.sql.tokens import text_of
from alembic_online.postgres.sqlstate import sqlstate
from alembic_online.recipes.bypass import is_large
from alembic_online.recipes.constraint import obstacle_columns
from alembic_online.recipes.cutover.statement_forms import names_of
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import folded, plain, uncollated
from alembic_online.recipes.object_effects import last_part
from alembic_online.recipes.orphan_rows import orphans
from alembic_online.recipes.precheck import Obstacle
from alembic_online.runner.names_above import NamesAbove
from alembic_online.runner.written_statements import written_statements

_MAY_SET_ONE = re.compile(
    r"create_(unique|check)_constraint|create_primary_key|create_foreign_key|unique=True|alter_column\(.*nullable=False"
    r"|SET\s+NOT\s+NULL|ADD\s+(CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN)|CREATE\s+UNIQUE|type_=|\bTYPE\b",
    re.IGNORECASE | re.DOTALL,
)
_OF_A_STATEMENT = ("22", "42", "2B")  # classes: what is written, or a value
_COLUMN = """
    SELECT quote_ident(attname) AS quoted, format_type(atttypid, atttypmod) AS type FROM pg_attribute
    WHERE attrelid = to_regclass(:table) AND attname = :column AND NOT attisdropped
"""


class _Rule(NamedTuple):
    table: str
    names: set[str]
    """The tables, and their columns, that it is about."""
    obstacle: Callable[[], Obstacle | None]


def look_ahead(connection: Connection, script: Script, direction: str, database: Database) -> None:
    """Raise `RevisionFailed` for the first rows that break a rule of a later line, where a table is large."""
    if not _MAY_SET_ONE.search(Path(script.path).read_text(encoding="utf-8")):
        return  # nearly all revisions: nothing is read or asked for them
    written = list(written_statements(script, direction))
    locked = {lock.name for sql in written for lock in strong_locks(sql)}
    if any(is_large(table, script, database) for table in locked):
        for rule in _rules(written, database):
            _look(connection, rule.obstacle())


def _look(connection: Connection, obstacle: Obstacle | None) -> None:
    if obstacle is None:
        return
    try:
        obstacle.look(connection)
    except DBAPIError as error:
        if error.connection_invalidated or (sqlstate(error) or "")[:2] not in _OF_A_STATEMENT:
            raise  # what is not there, or cannot be compared, the operation itself will tell


def _rules(written: Sequence[str], database: Database) -> Iterator[_Rule]:
    """Those of the second statement on: of the first, nothing comes before it."""
    above = NamesAbove()
    for number, sql in enumerate(written):
        (reader, *_) = statements(sql)
        found = [] if number == 0 else list(_of_statement(sql, above, database))
        yield from (rule for rule in found if rule.table and not rule.names & above.changed)
        if not above.note(reader, sql):
            return


def _of_statement(sql: str, above: NamesAbove, database: Database) -> Iterator[_Rule]:
    for reader in statements(sql):
        if reader.accept("CREATE UNIQUE INDEX"):
            reader.accept("CONCURRENTLY")
            name = reader.name()
            if reader.accept("ON") and (table := above.table(reader.name())):
                yield from _unique(f"{name} on {table}", table, reader, above)
        elif reader.accept("ALTER TABLE"):
            reader.accept("ONLY")
            if table := above.table(reader.name()):
                for action in reader.split():
                    yield from _of_action(action, table, sql, above, database)


def _of_action(action: Reader, table: str, sql: str, above: NamesAbove, database: Database) -> Iterator[_Rule]:
    if action.accept("ALTER"):
        action.accept("COLUMN")
        column = above.column(table, action.name())
        if column and action.accept("SET NOT NULL"):
            yield _nulls(table, [column], database)
        elif column and action.accept_any("TYPE", "SET DATA TYPE"):
            yield from _new_type(table, column, action, sql, above, database)
        return
    if not action.accept("ADD") or action.has("VALID") or action.has("ENFORCED"):
        return
    name = action.name() if action.accept("CONSTRAINT") else ""
    if action.accept("CHECK"):
        condition = above.expression(table, text_of(action.parentheses().rest(), sql) or "true")
        if condition:
            what = (f"{name or 'the new check'} on {table}", "rows that break it", f"NOT ({condition})")
            yield _Rule(table, _names(table, names_of(condition)), partial(_rows, table, *what, database))
    elif action.accept("FOREIGN KEY"):
        yield from _foreign_key(action, table, name, above)
    elif (kind := action.accept_any("UNIQUE", "PRIMARY KEY")) is not None:
        if kind == "PRIMARY KEY":
            listed = _listed(Reader(action.rest()), table, above)
            yield _nulls(table, listed, database)
        yield from _unique(f"{name or 'the new key'} on {table}", table, action, above)


def _new_type(
    table: str, column: str, action: Reader, sql: str, above: NamesAbove, database: Database
) -> Iterator[_Rule]:
    """Values that it does not have, as far as they are told without the conversion itself."""
    found = list(action.rest())
    at = next((at for at, token in enumerate(found) if token.keyword == "USING"), len(found))
    kind, written = text_of(found[:at], sql), text_of(found[at + 1 :], sql)
    using = above.expression(table, written)
    today, made = above.type(kind), above.type_made(kind)
    if made and today and database.ask("SELECT 1 WHERE to_regtype(:kind) IS NOT NULL", kind=uncollated(today)):
        made = None  # made only where it is not there
    if not (made.labels if made else today) or (written and not using):
        return

    def find() -> Obstacle | None:
        # Imported late: it needs the writers of autogenerate, which most upgrades should not pay for.
        from alembic_online.recipes.shadow_column.refused_values import refused_values  # noqa: PLC0415

        rows = database.ask(_COLUMN, table=table, column=folded(column))
        if not rows:
            return None
        new, labels = (kind, made.labels) if made else (today, ())
        return refused_values(table, rows[0].quoted, rows[0].type, new, using or None, labels, database)

    yield _Rule(table, _names(table, {column, *names_of(using)}), find)


def _nulls(table: str, columns: Sequence[str], database: Database) -> _Rule:
    missing = " OR ".join(f"{column} IS NULL" for column in columns)
    what = f"NOT NULL on {', '.join(f'{table}.{column}' for column in columns)}"
    found = partial(_rows, table, what, "rows without a value", missing or "false", database)
    return _Rule(table, _names(table, columns), found)


def _rows(table: str, what: str, found: str, condition: str, database: Database) -> Obstacle:
    return Obstacle(what, found, f"SELECT {obstacle_columns(table, database)} FROM {table} WHERE {condition}")


def _foreign_key(action: Reader, table: str, name: str, above: NamesAbove) -> Iterator[_Rule]:
    columns = _listed(action, table, above)
    if action.accept("REFERENCES"):
        parent = above.table(action.name())
        referred = _listed(action, parent, above)
        if parent and columns and len(columns) == len(referred) and not action.has("FULL"):
            names = _names(table, columns) | _names(parent, referred)
            pairs = list(zip(columns, referred, strict=True))
            yield _Rule(table, names, partial(orphans, table, parent, name or "the new foreign key", pairs))


def _unique(what: str, table: str, reader: Reader, above: NamesAbove) -> Iterator[_Rule]:
    if reader.accept("NULLS NOT DISTINCT"):
        return
    reader.accept("NULLS DISTINCT")
    columns = _listed(reader, table, above)
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


def _listed(reader: Reader, table: str, above: NamesAbove) -> list[str]:
    """Plain columns, by today's names; none where one is more than its name."""
    parts = [(part.name(), part.done) for part in reader.parentheses().split()]
    names = [above.column(table, name) for name, _ in parts if name]
    return names if all(name and done for name, done in parts) and all(names) else []
