"""`drift`: does the database hold what its revision made?"""

import asyncio
import json
from argparse import ArgumentParser, Namespace

from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncConnection

from src.postgres.catalogue import describe
from src.safety.drift import find_drift, marked
from src.safety.pending_detach import refuse_pending_detach
from src.safety.plan.rehearse import read_live
from src.safety.project import open_project
from src.safety.status import schema_status
from src.safety.verbs.verb import FINE, FOUND, Verb


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run(connection: AsyncConnection, options: Namespace, console: Console) -> int:
    """Print what differs and the SQL that would repair it; `FOUND` if anything does."""
    project = await asyncio.to_thread(open_project)
    status = await schema_status(connection, project.scripts)
    status.refuse_if_ahead()
    await connection.run_sync(refuse_pending_detach)
    live = await connection.run_sync(read_live, status.current)
    found = await asyncio.to_thread(find_drift, project, live)
    words, repair = describe(found.differences), await connection.run_sync(marked, found.repair)
    if options.json:
        console.print_json(json.dumps({"differences": words.splitlines(), "repair": repair}))
    elif not found.differences:
        console.print(f"The database holds what {', '.join(live.heads)} makes.")
    else:
        console.print(f"The database -> what {', '.join(live.heads)} makes:", highlight=False)
        console.print(words, markup=False, highlight=False)
        console.print("\nThis would repair it:\n", highlight=False)
        console.print(repair, markup=False, highlight=False, soft_wrap=True)
    return FOUND if found.differences else FINE


VERB = Verb("drift", "what a database has, against what its revision made", add_arguments, run)
