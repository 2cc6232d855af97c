"""`releases`: which releases are connected to the database at this moment."""

import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from datetime import UTC

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.cli.verb import FINE, Verb
from alembic_online.releases.alive import Release, read_sessions, releases


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run(connection: AsyncConnection, options: Namespace, console: Console) -> int:
    """Print them, those that say nothing last."""
    found = releases(await read_sessions(connection))
    if options.json:
        console.print_json(json.dumps([{**asdict(each), "unknown": not each.heads} for each in found], default=str))
    elif found:
        console.print(_table(found))
    else:
        console.print("Nobody is connected.")
    return FINE


def _table(found: list[Release]) -> Table:
    table = Table("Product", "Release", "Revision", "Connections", "Hosts", "Oldest (UTC)", box=None, pad_edge=False)
    for each in found:
        since = f"{each.since.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if each.since else ""
        release = each.release if each.heads else "unknown"
        table.add_row(
            *map(Text, (each.product, release, each.heads, str(each.connections), ", ".join(each.hosts), since))
        )
    return table


VERB = Verb("releases", "which releases are connected to the database, and what each was built for", add_arguments, run)
