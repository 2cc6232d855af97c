"""`plan`: what an upgrade or downgrade would do to this database now, seen from a rehearsal on a copy of its schema."""

import asyncio
import json
from argparse import ArgumentParser, Namespace

from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.cli.verb import FINE, FOUND, Verb
from alembic_online.errors import RequestRefused
from alembic_online.review.plan.empty_columns import empty_columns
from alembic_online.review.plan.rehearsal import read_live, rehearse
from alembic_online.review.plan.report import as_data, lines, show
from alembic_online.review.plan.roll_back import apply_and_roll_back
from alembic_online.review.status import schema_status
from alembic_online.revisions.project import config_here, open_project
from alembic_online.runtime.pending_detach import refuse_pending_detach


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("target", nargs="?", default="head", help="the revision to go to, up or down (head)")
    parser.add_argument("--from", dest="start", metavar="REVISION", help="begin there, with the schema that it makes")
    help_text = "run it on the database itself, in one transaction that is rolled back"
    parser.add_argument("--apply-and-rollback", action="store_true", help=help_text)
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run(connection: AsyncConnection, options: Namespace, console: Console) -> int:
    """Print the plan; `FOUND` if something of it is dangerous."""
    project = await asyncio.to_thread(open_project, config_here(options.x))
    status = await schema_status(connection, project.scripts, *project.stamped)
    if options.start is None:
        status.refuse_if_ahead()
        await connection.run_sync(refuse_pending_detach)
    live = await connection.run_sync(read_live, status.current, project.session.version_table)
    if options.apply_and_rollback:
        if options.start is not None:
            raise RequestRefused("--apply-and-rollback begins where the database is.", "Leave out one: it, or --from.")
        traced = await asyncio.to_thread(apply_and_roll_back, project, live, options.target)
    else:
        traced = await asyncio.to_thread(rehearse, project, live, options.target, start=options.start)
    found = lines(traced, live.tables, await connection.run_sync(empty_columns, traced))
    if options.json:
        console.print_json(json.dumps([as_data(line) for line in found]))
    else:
        for half in live.half_done:
            console.print(f"! {half.sentence} What is planned is the rest of it.\n", markup=False, highlight=False)
        show(found, console)
    return FOUND if live.half_done or any(line.dangers for line in found) else FINE


VERB = Verb("plan", "what an upgrade or downgrade would do to this database now", add_arguments, run)
