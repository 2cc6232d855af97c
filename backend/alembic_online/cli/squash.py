"""`squash`: one revision in the place of all up to a given one."""

import asyncio
import json
from argparse import ArgumentParser, Namespace

from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.cli.verb import FINE, Verb
from alembic_online.postgres.scratch import read_place
from alembic_online.revisions.project import config_here, open_project
from alembic_online.revisions.squashed import archive
from alembic_online.squash.squash import revisions_to_squash, squash


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("to", metavar="TO", help="the last revision that goes into it")
    parser.add_argument("--without-rows", action="store_true", help="leave out the rows that old revisions insert")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run(connection: AsyncConnection, options: Namespace, console: Console) -> int:
    """Write the squashed revision, keep the old ones beside it, and say so."""
    project = await asyncio.to_thread(open_project, config_here(options.x))
    place = await connection.run_sync(read_place)
    old = [script.revision for script in revisions_to_squash(project, options.to)]
    path = await asyncio.to_thread(squash, project, options.to, place, without_rows=options.without_rows)
    if options.json:
        console.print_json(json.dumps({"file": path.name, "replaces": old}))
        return FINE
    folder = archive(project.scripts).name
    for line in (
        f"{path.name} makes what {len(old)} revisions made; they are in {folder}/ now.",
        "Proved on scratch databases: from base, from the middle of the old chain, and down to base.",
        f"What they did to rows is not in it: a database at base has none. Delete {folder}/ when no database is older.",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return FINE


VERB = Verb("squash", "one revision in the place of all up to a given one", add_arguments, run)
