"""The command line, run from `backend/`: `python -m src.course VERB`, on the database of DATABASE_URL.

Exit codes: 0 done, 130 stopped by Ctrl-C, otherwise that of the `UserError` that is printed.
"""

import asyncio
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from alembic.script import ScriptDirectory
from rich.console import Console
from sqlalchemy import pool
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from alembic_online.postgres.connection.connect import connected
from alembic_online.postgres.connection.engine import async_engine, resolve_url
from alembic_online.postgres.connection.failures import explain_connection, explain_statement
from alembic_online.postgres.embedded import leave
from alembic_online.postgres.errors import UserError
from alembic_online.postgres.sqlstate import UNDEFINED_COLUMN, UNDEFINED_TABLE, sqlstate
from alembic_online.releases.stamp import process_label
from src.course import embedding, importing
from src.course.errors import NotMigrated
from src.course.verb import Verb
from src.db.session import session_factory
from src.settings import load_settings

_MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
VERBS: tuple[Verb, ...] = (importing, embedding)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the verb that the arguments (by default the process's) name, and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return asyncio.run(_run(options))
    except KeyboardInterrupt:
        sys.stderr.write(f"Stopped: {options.verb.NAME}. {options.verb.WHEN_STOPPED}\n")
        return 128 + signal.SIGINT
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m src.course", description="The course's content, kept as files.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for verb in VERBS:
        subparser = verbs.add_parser(verb.NAME, help=verb.HELP, description=verb.HELP)
        verb.add_arguments(subparser)
        subparser.set_defaults(verb=verb)
    return parser


def _name(verb: Verb) -> str:
    """As which it is seen in `pg_stat_activity`: it uses the models as the service does."""
    return str(process_label(ScriptDirectory(str(_MIGRATIONS)), product=f"syllabus {verb.NAME}"))


async def _run(options: Namespace) -> int:
    settings = load_settings()
    verb: Verb = options.verb
    target = resolve_url(settings.database_url)
    engine = async_engine(target, application_name=_name(verb), poolclass=pool.NullPool)
    try:
        async with connected(engine, target):
            pass  # a refusal is told in words before anything is read
        return await verb.run(session_factory(engine), options, settings, Console(stderr=True))
    except SQLAlchemyError as error:
        if sqlstate(error) in (UNDEFINED_TABLE, UNDEFINED_COLUMN):
            raise NotMigrated(target.place) from error
        if isinstance(error, DBAPIError) and error.statement is None:
            raise explain_connection(error, target) from error
        if (problem := explain_statement(error, target.place, target.source)) is None:
            raise
        raise problem from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        # What asyncpg says of a connection, SQLAlchemy does not wrap; verbs have words of their own for files.
        raise explain_connection(error, target) from error
    finally:
        await engine.dispose()
        leave(settings.database_url)
