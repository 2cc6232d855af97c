"""All checks, one after the other; what raises is a finding itself."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from alembic_online.postgres.declared import Extension, declared
from alembic_online.postgres.errors import UserError
from alembic_online.postgres.sqlstate import server_message
from alembic_online.review.doctor.database import chain, database
from alembic_online.review.doctor.finding import Finding, wrong
from alembic_online.review.doctor.machine import machine, settings
from alembic_online.review.doctor.server import extension, server
from alembic_online.review.status import SchemaStatus
from alembic_online.revisions.project import Project


def examine(connection: Connection, project: Project, status: SchemaStatus, pid: int | None) -> list[Finding]:
    """Every finding, in the order in which things build on each other; `connection` is in autocommit."""
    extensions = [item for item in declared(project.metadata) if isinstance(item, Extension)]
    checks: list[tuple[str, Callable[[], Iterable[Finding]]]] = [
        ("machine", lambda: machine(project.folder)),
        ("settings", settings),
        ("server", lambda: server(connection, pid)),
        ("extensions", lambda: (extension(connection, wanted) for wanted in extensions)),
        ("chain", lambda: chain(project)),
        ("database", lambda: database(connection, status)),
    ]
    return [finding for about, check in checks for finding in _looked(about, check)]


def machine_alone() -> list[Finding]:
    """What needs neither server nor project."""
    return [*_looked("machine", lambda: machine(Path.cwd())), *_looked("settings", settings)]


def _looked(about: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except UserError as error:
        yield wrong(about, error.problem, error.remedy)
    except (DBAPIError, OSError) as error:
        reason = server_message(error) if isinstance(error, DBAPIError) else str(error)
        yield wrong(about, f"could not be looked at: {reason}", "Mend that first, then run doctor again.")
