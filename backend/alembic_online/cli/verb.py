"""What a verb is to the command line, and what it is run with."""

from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.errors import UserError

# Exit codes, the same for every verb.
FINE = 0
FOUND = 1
COULD_NOT_RUN = 2


@dataclass(frozen=True, slots=True)
class Verb:
    """A subcommand: `run` gets a connection in autocommit and returns `FINE` or `FOUND`.

    It raises a `UserError` where it cannot run, which becomes `COULD_NOT_RUN`, unless `explain` makes a finding of it.
    """

    name: str
    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[AsyncConnection, Namespace, Console], Awaitable[int]] | None = None
    """None for one that never needs the project's database: then `on_files` has an exit code for all options."""
    on_files: Callable[[Namespace, Console], int | None] | None = None
    """What needs no database: its exit code, or None where the options ask for something else."""
    explain: Callable[[UserError, Namespace, Console], int] | None = None
    """Shows why nothing could be looked at, and what could."""
    when_stopped: str = "Run the same command again."
    """What somebody who has stopped it by a signal should know."""
