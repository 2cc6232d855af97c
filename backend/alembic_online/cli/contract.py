"""`contract`: carry out the contract steps that are due, as soon as nobody needs what they take.

What `op.keep_aside` has kept for long enough is cleared, too: a job that runs again and again is the place for both.
"""

import asyncio
import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import alembic.config
from alembic.script import ScriptDirectory
from rich.console import Console
from sqlalchemy import NullPool

from alembic_online.api import status_of
from alembic_online.cli.verb import FINE, FOUND, Verb
from alembic_online.errors import ContractWaits
from alembic_online.policy import PREFIX
from alembic_online.postgres.connection.connect import connected
from alembic_online.postgres.connection.engine import async_engine
from alembic_online.releases.kept import clear_expired
from alembic_online.releases.phase import Phase, steps_of
from alembic_online.revisions.project import Project, config_here, open_project


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("--dry-run", action="store_true", help="only say which are due")


def on_files(options: Namespace, console: Console) -> int:
    """Upgrade as far as there is nothing but contract steps; `FOUND` where one still waits, or would be run.

    It is Alembic's own command that runs, so whatever else fails ends with its exit code.
    """
    project = open_project(config_here(options.x))
    due = _due(project)
    if not options.dry_run:
        for name in asyncio.run(_clear_expired(project)):
            console.print(f"What was kept of {name} is cleared: its time is over.", markup=False, highlight=False)
    if not due:
        console.print("No contract is due.")
        return FINE
    if options.dry_run:
        console.print(f"Due: {', '.join(due)}.", highlight=False)
        return FOUND
    with _waiting():
        for revision in due:
            try:
                alembic.config.main([*(word for each in options.x for word in ("-x", each)), "upgrade", revision])
            except SystemExit as exit_:
                if exit_.code not in (0, None, ContractWaits.exit_code):
                    raise
                break
    return FOUND if _due(project) else FINE


@contextmanager
def _waiting() -> Iterator[None]:
    """Who asks for this verb wants the wait, whatever env.py and his shell say."""
    name = f"{PREFIX}EXPAND_CONTRACT"
    before = os.environ.get(name)
    os.environ[name] = "on"
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before


def _due(project: Project) -> list[str]:
    """Those before which nothing but other ones is to be applied, in their order."""
    status = asyncio.run(status_of(project))
    status.refuse_if_ahead()
    return due_after(project.scripts, status.current)


async def _clear_expired(project: Project) -> list[str]:
    engine = async_engine(project.target, application_name="alembic", poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        async with connected(engine, project.target, patience=project.policy.connect_timeout) as connection:
            return await clear_expired(connection, project.session.version_schema)
    finally:
        await engine.dispose()


def due_after(scripts: ScriptDirectory, current: Sequence[str]) -> list[str]:
    """The same, for a database at `current`."""
    pending = list(scripts.iterate_revisions("heads", tuple(current), implicit_base=True))[::-1]
    steps, waiting, due = steps_of(scripts), {each.revision for each in pending}, list[str]()
    for revision in (each.revision for each in pending):
        is_next = waiting.isdisjoint(steps[revision].parents)
        if is_next and steps[revision].phase is Phase.CONTRACT:
            waiting.remove(revision)
            due.append(revision)
    return due


VERB = Verb(
    "contract",
    "carry out the contract steps that are due and wait for nobody, and clear what was kept until now",
    add_arguments,
    on_files=on_files,
)
