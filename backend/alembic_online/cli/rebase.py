"""`rebase`: my revisions on top of those that came meanwhile."""

import asyncio
import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict

from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.cli.verb import FINE, FOUND, Verb
from alembic_online.postgres.scratch import read_place
from alembic_online.rebase import Branch, Rebased, find_branch, rebase, refuse_if_applied
from alembic_online.revisions.project import config_here, open_project


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("revision", nargs="?", help="one of yours (default: what git's main branch does not have)")
    parser.add_argument("--onto", metavar="REVISION", help="put them on top of its branch (default: the other head)")
    parser.add_argument("--main", metavar="BRANCH", help="git's main branch (default: origin's, main, master, trunk)")
    parser.add_argument("--keep", action="store_true", help="keep the new names although the round trip fails")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run(connection: AsyncConnection, options: Namespace, console: Console) -> int:
    """Rename mine, and say what was done; `FOUND` if the branches clash or the round trip fails."""
    project = await asyncio.to_thread(open_project, config_here(options.x))
    branch = await asyncio.to_thread(find_branch, project.scripts, options.revision, options.onto, options.main)
    if branch is None:
        console.print_json("{}") if options.json else console.print("Nothing to rebase: the chain has one head.")
        return FINE
    await refuse_if_applied(connection, project.scripts, branch, *project.stamped)
    place = await connection.run_sync(read_place)
    done = await asyncio.to_thread(rebase, project, branch, place, keep=options.keep)
    if options.json:
        console.print_json(json.dumps({"onto": branch.onto, **asdict(done)}, default=str))
    else:
        _show(branch, done, console)
    return FOUND if done.clashes or done.problems else FINE


def _show(branch: Branch, done: Rebased, console: Console) -> None:
    for line in _lines(branch, done):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _lines(branch: Branch, done: Rebased) -> Iterator[str]:
    below = branch.onto
    for old, new in done.names.items():
        yield f"{old} -> {new}, on top of {below}"
        below = new
    for name in () if done.undone else done.mentions:
        yield f"{name} still mentions an old id: correct it by hand; schema.*: python -m alembic_online snapshot"
    yield from (f"! {line}" for line in done.clashes)
    yield from (f"! round trip: {line}" for line in done.problems)
    if done.undone:
        yield "So nothing was renamed. Mend it and rebase again; to have the new names as it is: --keep"
    if not done.problems:
        yield "Both went up, down and up again on a scratch database, and left what they should."


VERB = Verb("rebase", "my revisions on top of those that came meanwhile", add_arguments, run)
