"""`snapshot`: the schema of the head revision, kept beside the revisions for whoever reviews them."""

import asyncio
import json
from argparse import ArgumentParser, Namespace

from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.cli.verb import FINE, FOUND, Verb
from alembic_online.postgres.scratch import read_place
from alembic_online.review.snapshot import snapshot, stale, write
from alembic_online.revisions.project import config_here, open_project


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if a file is stale")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run(connection: AsyncConnection, options: Namespace, console: Console) -> int:
    """Write what is stale, or with `--check` only say so."""
    project = await asyncio.to_thread(open_project, config_here(options.x))
    place = await connection.run_sync(read_place)
    files = await asyncio.to_thread(snapshot, project, place)
    found = stale(files)
    if not options.check:
        write({path: files[path] for path in found})
    if options.json:
        console.print_json(json.dumps({"stale": [path.name for path in found], "written": not options.check}))
    else:
        said = "stale; write it: python -m alembic_online snapshot" if options.check else "written"
        for path in found:
            console.print(f"{path.name}: {said}", highlight=False)
        if not found:
            console.print("schema.sql and schema.md are up to date.", highlight=False)
    return FOUND if found and options.check else FINE


VERB = Verb("snapshot", "keep the schema of the head revision beside the revisions", add_arguments, run)
