"""`backfill`: run one that an upgrade has left, from here and from as many machines as one likes; or list them."""

import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.backfill import state
from alembic_online.backfill.batch import prepare
from alembic_online.backfill.definition import Backfill
from alembic_online.backfill.estimate import estimate
from alembic_online.backfill.monitor import Report
from alembic_online.backfill.run import backfill
from alembic_online.backfill.session import have_set
from alembic_online.cli.verb import FINE, FOUND, Verb
from alembic_online.errors import RequestRefused, TableBlocked
from alembic_online.policy import Policy
from alembic_online.postgres.sqlstate import INSUFFICIENT_PRIVILEGE, LOCK_NOT_AVAILABLE, server_message, sqlstate
from alembic_online.runtime.blocker_report import duration
from alembic_online.text import counted

# Invalid data, a constraint, an exception of a trigger, a name that is not there, a limit.
_OF_THE_VALUES = ("22", "23", "P0", "42", "54")
_PACE = 10.0  # seconds between two plain lines


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="which one; without it, all are listed")
    parser.add_argument("--workers", type=_workers, default=1, metavar="N", help="connections that work at once (1)")
    parser.add_argument("--dry-run", action="store_true", help="try one batch, roll it back, and say how long")
    parser.add_argument("--restart", action="store_true", help="begin it again")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run(connection: AsyncConnection, options: Namespace, console: Console) -> int:
    """List them (`FOUND` if one is not finished), or run one to its end."""
    if options.name is None:
        return _list(await state.read_progress(connection), console, as_json=options.json)
    definition = await state.read_definition(connection, options.name)
    if options.dry_run:
        with _refusals(definition):
            await have_set(connection, definition.settings)
            await _estimate(connection, definition, console, as_json=options.json)
        return FINE
    if options.restart:
        await state.forget(connection, definition.name)
    policy = Policy.from_environment()
    with _shown(definition, Console(stderr=True) if options.json else console) as show, _refusals(definition):
        last = await backfill(connection.engine, definition, policy=policy, workers=options.workers, on_report=show)
    if options.json:
        console.print_json(data={"name": definition.name, "changed": last.progress.changed})
        return FINE
    console.print(f"{definition.name} is done: {counted(last.progress.changed, 'row')} changed.", highlight=False)
    return FINE


@contextmanager
def _refusals(definition: Backfill) -> Iterator[None]:
    """What the server says of the values, in words."""
    try:
        yield
    except DBAPIError as error:
        code = sqlstate(error) or ""
        if code == LOCK_NOT_AVAILABLE:
            raise TableBlocked(
                f"Somebody holds {definition.table} or a row of it.", "See who: python -m alembic_online blockers"
            ) from error
        if code == INSUFFICIENT_PRIVILEGE or code[:2] not in _OF_THE_VALUES:
            raise
        raise RequestRefused(
            f"The backfill {definition.name} of {definition.table} failed: {server_message(error)}.",
            "\n".join(
                [
                    *getattr(error, "__notes__", []),
                    "Correct the row, or the values that the revision gives, and"
                    " run the same command again: what is done is kept.",
                ]
            ),
        ) from error


def _workers(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 32:
        raise ArgumentTypeError(f"{text!r} is no number of workers: write one from 1 to 32")
    return int(text)


def _list(found: list[state.Progress], console: Console, *, as_json: bool) -> int:
    if as_json:
        console.print_json(data=[asdict(each) for each in found], default=str)
    elif not found:
        console.print("No backfill has run here yet.")
    else:
        console.print(_table(found))
    return FINE if all(each.finished for each in found) else FOUND


def _table(found: list[state.Progress]) -> Table:
    table = Table("Backfill", "State", "Rows walked", "Of about", "Changed", "Pass", box=None, pad_edge=False)
    for each in found:
        words = "done" if each.finished else "not done"
        table.add_row(each.name, words, f"{each.walked:,}", f"{each.total:,}", f"{each.changed:,}", str(each.passes))
    return table


async def _estimate(connection: AsyncConnection, definition: Backfill, console: Console, *, as_json: bool) -> None:
    found = await estimate(connection, await prepare(connection, definition))
    if as_json:
        console.print_json(data={"name": definition.name, **asdict(found)})
        return
    values = "; ".join(f"{column} = {sql}" for column, sql in definition.values.items()) or str(definition.function)
    console.print(
        f"{definition.table}: {values}{f' where {definition.where}' if definition.where else ''}\n"
        f"About {found.rows:,} rows; {found.needed:.0%} of those tried need it."
        f" About {duration(found.seconds)} with one worker. Nothing was changed.",
        highlight=False,
        markup=False,
    )


@contextmanager
def _shown(definition: Backfill, console: Console) -> Iterator[Callable[[Report], None]]:
    """A bar on a terminal, a line now and then elsewhere."""
    if not console.is_terminal:
        yield _lines(definition, console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[speed]}"))
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(definition.name, total=None, speed="")

        def show(report: Report) -> None:
            progress = report.progress
            bar.update(task, total=max(progress.total, progress.walked), completed=progress.walked, speed=words(report))

        yield show


def _lines(definition: Backfill, console: Console) -> Callable[[Report], None]:
    said = time.monotonic()

    def show(report: Report) -> None:
        nonlocal said
        if time.monotonic() - said >= _PACE:
            said = time.monotonic()
            progress = report.progress
            far = f"{progress.walked:,} of about {progress.total:,} rows"
            console.print(f"{definition.name}: {far}, {words(report)}", highlight=False, markup=False)

    return show


def words(report: Report) -> str:
    """How fast, and how long it will take; or for what it waits."""
    if report.waiting:
        return f"waiting: {report.waiting}"
    if report.progress.passes > 1:
        return f"looking again for rows that came meanwhile, pass {report.progress.passes}"
    return f"{report.rate:,.0f} rows a second, {duration(report.seconds_left)} left" if report.rate else "begins"


_KEPT = "What is done of it is kept: run the same command again to go on."
VERB = Verb("backfill", "run a backfill that an upgrade has left, or list them", add_arguments, run, when_stopped=_KEPT)
