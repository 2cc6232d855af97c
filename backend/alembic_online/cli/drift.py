"""`drift`: does the database hold what its revision made?"""

import asyncio
import json
from argparse import ArgumentParser, Namespace

from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.cli.verb import FINE, FOUND, Verb
from alembic_online.postgres.catalogue import describe
from alembic_online.review.drift import find_drift, marked
from alembic_online.review.plan.rehearsal import Live, read_live
from alembic_online.review.status import schema_status
from alembic_online.revisions.project import config_here, open_project
from alembic_online.runtime.pending_detach import refuse_pending_detach


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run(connection: AsyncConnection, options: Namespace, console: Console) -> int:
    """Print what differs and the SQL that would repair it; `FOUND` if anything does."""
    project = await asyncio.to_thread(open_project, config_here(options.x))
    status = await schema_status(connection, project.scripts, *project.stamped)
    status.refuse_if_ahead()
    await connection.run_sync(refuse_pending_detach)
    live = await connection.run_sync(read_live, status.current, project.session.version_table)
    found = await asyncio.to_thread(find_drift, project, live)
    words, repair = describe(found.differences), await connection.run_sync(marked, found.repair)
    half = [each.sentence for each in live.half_done]
    if options.json:
        data = {"half_done": half, "differences": words.splitlines(), "repair": repair}
        console.print_json(json.dumps(data))
        return FOUND if half or found.differences else FINE
    for sentence in half:
        console.print(f"! {sentence}\n", markup=False, highlight=False, soft_wrap=True)
    if half and found.differences:
        console.print(f"What is said below is, for the most part, that half of {_revisions(live)}.", highlight=False)
        repair = f"-- This takes back what {_revisions(live)} has done up to now.\n{repair}"
    if not found.differences:
        console.print(f"The database holds what {', '.join(live.heads)} makes.")
    else:
        console.print(f"The database -> what {', '.join(live.heads)} makes:", highlight=False)
        console.print(words, markup=False, highlight=False)
        console.print("\nThis would repair it:\n", highlight=False)
        console.print(repair, markup=False, highlight=False, soft_wrap=True)
    return FOUND if half or found.differences else FINE


def _revisions(live: Live) -> str:
    return " and ".join(each.revision for each in live.half_done)


VERB = Verb("drift", "what a database has, against what its revision made", add_arguments, run)
