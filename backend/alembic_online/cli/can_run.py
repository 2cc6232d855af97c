"""`can-run`: could the release that was built for this revision serve the database as it is?"""

import asyncio
import json
from argparse import ArgumentParser, Namespace

from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.cli.verb import FINE, FOUND, Verb
from alembic_online.releases.stored import known_steps
from alembic_online.releases.window import why_not
from alembic_online.review.status import schema_status
from alembic_online.revisions.project import config_here, open_project


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("revision", metavar="REVISION", help="the head revision of that release")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run(connection: AsyncConnection, options: Namespace, console: Console) -> int:
    """Say whether it could, and why not; `FOUND` if not."""
    project = await asyncio.to_thread(open_project, config_here(options.x))
    status = await schema_status(connection, project.scripts, *project.stamped)
    steps = await known_steps(connection, project.scripts, project.stamped)
    reason = why_not(steps, [options.revision], status.current)
    at = ", ".join(status.current) or "base"
    if options.json:
        data = {"revision": options.revision, "database": list(status.current), "can_run": not reason, "reason": reason}
        console.print_json(json.dumps(data))
    else:
        can = "can serve" if not reason else "cannot serve"
        sentence = f"Code that was built for {options.revision} {can} the database, which is at {at}. {reason}"
        console.print(sentence.strip(), markup=False, highlight=False, soft_wrap=True)
    return FOUND if reason else FINE


VERB = Verb("can-run", "whether the release built for a revision could serve the database as it is", add_arguments, run)
