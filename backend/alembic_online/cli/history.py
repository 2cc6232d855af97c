"""`history`: what was done to this database, by whom, and how it went."""

import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.cli.verb import FINE, FOUND, Verb
from alembic_online.runtime.advisory_lock import find_holder, lock_space
from alembic_online.runtime.blocker_report import duration
from alembic_online.runtime.history import find_history


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("--last", type=_count, default=20, metavar="N", help="how many rows, the newest last (20)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number of rows: write 1 or more")
    return int(text)


async def run(connection: AsyncConnection, options: Namespace, console: Console) -> int:
    """Print the newest rows; `FOUND` if the last one did not end well."""
    rows: Sequence[Row[Any]] = ()
    table = await find_history(connection)
    if table is not None:
        newest = await connection.execute(select(table).order_by(table.c.id.desc()).limit(options.last))
        rows = newest.all()[::-1]
    outcomes = {row.id: row.outcome for row in rows}
    if "running" in outcomes.values() and await find_holder(connection, lock_space()) is None:
        outcomes = {number: "interrupted" if was == "running" else was for number, was in outcomes.items()}
    if options.json:
        console.print_json(json.dumps([{**row._mapping, "outcome": outcomes[row.id]} for row in rows], default=str))
    elif rows:
        console.print(_table(rows, outcomes))
    else:
        console.print("No migration has run here yet.")
    return FOUND if rows and outcomes[rows[-1].id] not in ("done", "running", "forced") else FINE


def _table(rows: Sequence[Row[Any]], outcomes: Mapping[int, str]) -> Table:
    table = Table("Revision", "Direction", "Outcome", "Started (UTC)", "Took", box=None, pad_edge=False)
    for name in ("Waits", "Retries", "Role", "Host", "Version", "File", "Step"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for row in rows:
        took = duration_of(row)
        numbers = (str(row.lock_waits), str(row.retries))
        who = (row.role, row.host, row.application_version, row.checksum[:8], row.step or "")
        started = f"{row.started.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        table.add_row(*map(Text, (row.revision, row.direction, outcomes[row.id], started, took, *numbers, *who)))
    return table


def duration_of(row: Row[Any]) -> str:
    """In words, with milliseconds where it was quick; nothing for what has not ended."""
    if row.finished is None:
        return ""
    seconds = (row.finished - row.started).total_seconds()
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else duration(seconds)


VERB = Verb("history", "what was done to this database, by whom, and how it went", add_arguments, run)
