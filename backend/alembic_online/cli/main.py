"""The command line of the toolkit, run where alembic.ini is: `alembic-online VERB`.

The database is the one that env.py names; where there is none, MIGRATION_DATABASE_URL, else DATABASE_URL.
Exit codes: 0 fine, 1 something was found, 2 it could not run.
"""

import asyncio
import signal
import sys
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from sqlalchemy import pool
from sqlalchemy.exc import SQLAlchemyError

from alembic_online.cli import (
    adopt,
    audit,
    backfill,
    blockers,
    can_run,
    contract,
    doctor,
    drift,
    history,
    lint,
    plan,
    rebase,
    record,
    releases,
    snapshot,
    squash,
    wait,
)
from alembic_online.cli.verb import COULD_NOT_RUN, Verb
from alembic_online.policy import Policy
from alembic_online.postgres.abandoned_threads import abandon_all
from alembic_online.postgres.connection.connect import connected
from alembic_online.postgres.connection.engine import async_engine, resolve_url
from alembic_online.postgres.connection.failures import explain_statement
from alembic_online.postgres.errors import UserError
from alembic_online.revisions.project import OwnSession, place_here, url_of_the_environment
from alembic_online.runtime.blocker_report import WIDTH
from alembic_online.runtime.owners_session import make_like

VERBS: tuple[Verb, ...] = (
    adopt.VERB,
    audit.VERB,
    backfill.VERB,
    blockers.VERB,
    can_run.VERB,
    contract.VERB,
    doctor.VERB,
    drift.VERB,
    history.VERB,
    lint.VERB,
    plan.VERB,
    rebase.VERB,
    record.VERB,
    releases.VERB,
    snapshot.VERB,
    squash.VERB,
    wait.VERB,
)
_X = "an argument for env.py, as alembic has it"
APPLICATION_NAME = "safety"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the verb that the arguments (by default the process's) name, and return the exit code."""
    options = _parser().parse_args(arguments)
    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    verb: Verb = options.verb
    received: list[signal.Signals] = []
    try:
        with _interrupted_by_sigterm(received):
            if verb.on_files is not None and (code := verb.on_files(options, console)) is not None:
                return code
            url, session = place_here(options.x) or (url_of_the_environment(), OwnSession())
            return asyncio.run(_run(verb, url, session, options, console))
    except KeyboardInterrupt:
        number = received[0] if received else signal.SIGINT
        Console(stderr=True).print(
            f"Stopped by {number.name}: {verb.name}. {verb.when_stopped}", highlight=False, soft_wrap=True
        )
        return 128 + number
    except UserError as error:
        if verb.explain is not None:
            return verb.explain(error, options, console)
        Console(stderr=True).print(str(error), markup=False, highlight=False, soft_wrap=True)
        return COULD_NOT_RUN


def run() -> None:
    """The command `alembic-online`."""
    sys.path.insert(0, "")  # as `python -m` has it: env.py of a project that is not installed
    sys.exit(main())


@contextmanager
def _interrupted_by_sigterm(received: list[signal.Signals]) -> Iterator[None]:
    """SIGTERM does what Ctrl-C does, and is put into `received`. Only in the main thread, which gets signals."""

    def stop(number: int, _: object) -> None:
        received.append(signal.Signals(number))
        signal.raise_signal(signal.SIGINT)  # which asyncio makes a cancellation of

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="alembic-online", description="What Alembic has no command for.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for verb in VERBS:
        subparser = verbs.add_parser(verb.name, help=verb.help, description=verb.help)
        verb.add_arguments(subparser)
        subparser.add_argument("-x", action="append", default=[], metavar="NAME=VALUE", help=_X)
        subparser.set_defaults(verb=verb)
    return parser


async def _run(verb: Verb, url: str, session: OwnSession, options: Namespace, console: Console) -> int:
    target = resolve_url(url)
    engine = async_engine(
        target, application_name=APPLICATION_NAME, poolclass=pool.NullPool, isolation_level="AUTOCOMMIT"
    )
    try:
        async with connected(engine, target, patience=Policy.from_environment().connect_timeout) as connection:
            assert verb.run is not None, "on_files has done what needs no database"
            if session.settings:
                await connection.run_sync(make_like, session.settings)
            return await verb.run(connection, options, console)
    except asyncio.CancelledError:
        await abandon_all()
        raise
    except SQLAlchemyError as error:
        if (problem := explain_statement(error, target.place, target.source)) is None:
            raise
        raise problem from error
    finally:
        await engine.dispose()
