"""The rows of every table, to be held against those of another moment or of another database."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection

from alembic_online.runtime.row_security import every_row_of_ours
from alembic_online.sample_rows.tables import Table, rows_of

Row = str
Contents = dict[str, Counter[Row]]
"""Table: how often each row is there, as PostgreSQL writes its jsonb, with the keys in an order of their own."""
_CLOCK = re.compile(r"now\(\)|CURRENT_|LOCALTIME|_timestamp\(\)")
_VOLATILE = re.compile(r"\w\(|CURRENT_|LOCALTIME")


def read_contents(connection: Connection, tables: Collection[Table], *, made_twice: bool = False) -> Contents:
    """All rows, but for columns that the clock fills (`made_twice`: that any function fills) by a default.

    One query for all tables.
    """
    passed_over = _VOLATILE if made_twice else _CLOCK
    shorts = [table.short for table in tables]
    found: Contents = {short: Counter() for short in shorts}
    queries = [
        f"SELECT {place}, (to_jsonb(t) - ARRAY[{_left_out(table, passed_over)}]::text[])::text FROM {table.name} t"
        for place, table in enumerate(tables)
    ]
    with every_row_of_ours(connection):
        for place, row in rows_of(connection, " UNION ALL ".join(queries)) if queries else ():
            found[shorts[place]][row] += 1
    return found


def _left_out(table: Table, passed_over: re.Pattern[str]) -> str:
    """The names of its columns with such a default, as literals of SQL."""
    names = (each.name for each in table.columns if passed_over.search(each.default or ""))
    bare = (name[1:-1].replace('""', '"') if name.startswith('"') else name for name in names)
    return ", ".join("'" + name.replace("'", "''") + "'" for name in bare)


def lost(before: Contents, after: Contents, loses: Collection[str]) -> Iterator[str]:
    """In words, each table whose rows are not what they were, but for tables and columns that `loses` names.

    A value in the place of a NULL is no loss: a backfill need not be taken back.
    """
    for table, rows in before.items():
        if table in loses or table not in after:
            continue  # a table that is not there any more is a difference of the catalogue
        given_up = {name.rpartition(".")[2] for name in loses if name.rpartition(".")[0] == table}
        had, has = _without(rows, given_up), _without(after[table], given_up)
        gone = [row for row in (had - has).elements() if not _filled(row, has - had)]
        if gone:
            yield f"{len(gone)} of {rows.total()} rows of {table} are not what they were: {_change(gone[0], has - had)}"
        elif has.total() > had.total():
            yield f"{table} has {has.total() - had.total()} rows more"


def _filled(row: Row, others: Counter[Row]) -> bool:
    known = {name: value for name, value in json.loads(row).items() if value is not None}
    return any(all(now.get(name) == value for name, value in known.items()) for now in map(json.loads, others))


def _change(row: Row, others: Counter[Row]) -> str:
    """What is other in the row that is the most like it."""
    was = json.loads(row)
    changes = [
        {name: (value, now.get(name)) for name, value in was.items() if now.get(name) != value}
        for now in map(json.loads, others)
    ]
    nearest = min(changes, key=len, default={})
    if not nearest:
        return f"gone is {row[:200]}"
    return ", ".join(f"{name} {value!r:.60} -> {now!r:.60}" for name, (value, now) in nearest.items())[:300]


def _without(rows: Counter[Row], columns: set[str]) -> Counter[Row]:
    if not columns:
        return rows
    kept: Counter[Row] = Counter()
    for row, count in rows.items():
        kept[_text({name: value for name, value in json.loads(row).items() if name not in columns})] += count
    return kept


def _text(row: dict[str, Any]) -> Row:
    return json.dumps(row, sort_keys=True)
