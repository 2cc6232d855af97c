"""`wait`: until the database is where the code needs it. It only reads, so any role that may read may run it."""

import asyncio
import time
from argparse import ArgumentParser, Namespace

from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.cli.verb import FINE, FOUND, Verb
from alembic_online.releases.phase import below
from alembic_online.releases.stored import known_steps
from alembic_online.review.status import SchemaState, schema_status
from alembic_online.revisions.project import Project, config_here, open_project

_POLL = 0.5  # seconds


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    help_text = "until this one is applied; without it, until the code can serve the database"
    parser.add_argument("revision", nargs="?", default="", metavar="REVISION", help=help_text)
    parser.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help="how long at the most (600)")


async def run(connection: AsyncConnection, options: Namespace, console: Console) -> int:
    """Return once it is there; `FOUND` where the time is over."""
    project = await asyncio.to_thread(open_project, config_here(options.x))
    deadline, said = time.monotonic() + options.timeout, ""
    while waits := await _waits_for(connection, project, options.revision):
        if waits != said:
            console.print(f"Waiting: {waits}", markup=False, highlight=False, soft_wrap=True)
            said = waits
        if time.monotonic() >= deadline:
            console.print(f"Not within {options.timeout:g} s.", highlight=False)
            return FOUND
        await asyncio.sleep(min(_POLL, max(deadline - time.monotonic(), 0)))
    return FINE


async def _waits_for(connection: AsyncConnection, project: Project, revision: str) -> str:
    """A sentence; empty where it need not wait any more."""
    status = await schema_status(
        connection, project.scripts, *project.stamped, expand_contract=project.policy.expand_contract
    )
    if not revision:
        return "" if status.state is SchemaState.READY else status.sentence
    steps = await known_steps(connection, project.scripts, project.stamped)
    there = revision in below(steps, status.current)
    return "" if there else f"{revision} is not applied; the database is at {', '.join(status.current) or 'base'}."


VERB = Verb("wait", "wait until the database is where the code needs it, or at a revision", add_arguments, run)
