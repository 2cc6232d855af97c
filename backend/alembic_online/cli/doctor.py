"""`doctor`: what is wrong here, and how to mend it."""

import asyncio
import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.cli.verb import FINE, FOUND, Verb
from alembic_online.errors import BrokenChain
from alembic_online.postgres.errors import UserError
from alembic_online.review.doctor import Finding, Level, examine, machine_alone
from alembic_online.review.doctor.finding import wrong
from alembic_online.review.status import schema_status
from alembic_online.revisions.project import config_here, open_project

_STYLES = {Level.FINE: "green", Level.NOTE: "yellow", Level.WRONG: "bold red"}


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run(connection: AsyncConnection, options: Namespace, console: Console) -> int:
    """Print every finding; `FOUND` if something is wrong."""
    project = await asyncio.to_thread(open_project, config_here(options.x))
    status = await schema_status(connection, project.scripts, *project.stamped)
    found = await connection.run_sync(lambda sync: examine(sync, project, status, _announced_pid(sync)))
    return _show(found, options, console)


def explain(error: UserError, options: Namespace, console: Console) -> int:
    """What can be seen without the server or the chain, and what is wrong with these."""
    about = "chain" if isinstance(error, BrokenChain) else "database"
    return _show([*machine_alone(), wrong(about, error.problem, error.remedy)], options, console)


def _show(found: list[Finding], options: Namespace, console: Console) -> int:
    if options.json:
        console.print_json(json.dumps([asdict(finding) for finding in found]))
    else:
        console.print(_table(found))
    return FOUND if any(finding.level is Level.WRONG for finding in found) else FINE


def _announced_pid(connection: Connection) -> int | None:
    """The backend's pid as the server told it to the driver; a pooler tells one of its own."""
    driver = connection.connection.driver_connection
    get = getattr(driver, "get_server_pid", None)
    return None if get is None else int(get())


def _table(found: list[Finding]) -> Table:
    table = Table("", "What", "How it is", "What to do", box=None, pad_edge=False)
    for finding in found:
        style = _STYLES[finding.level]
        table.add_row(Text(finding.level, style=style), *map(Text, (finding.about, finding.words, finding.remedy)))
    return table


VERB = Verb("doctor", "what is wrong here, and how to mend it", add_arguments, run, explain=explain)
