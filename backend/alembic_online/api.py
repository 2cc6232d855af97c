"""Alembic's commands for programs: in a start-up, a test, a notebook, inside a running event loop, as often as wanted.

    config = Config("alembic.ini")
    if await pending(config):
        await upgrade(config)

Alembic keeps the environment of the command at hand in a global, and an async env.py begins an event loop of its own.
So each command runs in a thread, where no loop runs, and one after the other. Loggers are left as they are, nothing is
printed, and what a command refuses is raised as the `UserError` that the command line would print. A task that is
cancelled does not stop the command: it is finished in its thread.
"""

import asyncio
import io
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import pool

from alembic_online.errors import ModelsDiffer
from alembic_online.postgres.connection.connect import connected
from alembic_online.postgres.connection.engine import async_engine
from alembic_online.review.status import SchemaStatus, schema_status
from alembic_online.revisions.project import Project, open_project

T = TypeVar("T")
_one_at_a_time = threading.Lock()


async def upgrade(config: Config, target: str = "head") -> None:
    """`alembic upgrade`, with all its safeguards. Raises `UserError`."""
    await _run(config, lambda: command.upgrade(config, target))


async def downgrade(config: Config, target: str) -> None:
    """`alembic downgrade`, with all its safeguards. Raises `UserError`, `DataLoss` among them."""
    await _run(config, lambda: command.downgrade(config, target))


async def check(config: Config) -> list[str]:
    """What differs between the database and the models, in words, a line each; empty if nothing. Raises `UserError`."""
    try:
        await _run(config, lambda: command.check(config))
    except ModelsDiffer as error:
        return error.words
    return []


async def current(config: Config) -> tuple[str, ...]:
    """The revisions at which the database is; none for a database in which no migration has run. Raises `UserError`."""
    return (await status_of(await _run(config, lambda: open_project(config)))).current


async def pending(config: Config) -> list[str]:
    """The revisions that `upgrade` would apply, in their order. Raises `UserError`."""
    project = await _run(config, lambda: open_project(config))
    status = await status_of(project)
    steps = project.scripts.iterate_revisions("heads", status.current or "base", select_for_downgrade=False)
    return _in_order(script.revision for script in steps if script.revision not in status.current)


async def status_of(project: Project) -> SchemaStatus:
    """Where its database stands, seen from its files. Raises `UserError`."""
    target = await asyncio.to_thread(lambda: project.target)
    engine = async_engine(target, application_name="alembic", poolclass=pool.NullPool)
    try:
        async with connected(engine, target, patience=project.policy.connect_timeout) as connection:
            return await schema_status(connection, project.scripts, *project.stamped)
    finally:
        await engine.dispose()


def _in_order(newest_first: Iterable[str]) -> list[str]:
    return list(newest_first)[::-1]


async def _run(config: Config, work: Callable[[], T]) -> T:
    return await asyncio.to_thread(_quietly, config, work)


def _quietly(config: Config, work: Callable[[], T]) -> T:
    with _one_at_a_time:
        stdout, config.stdout = config.stdout, io.StringIO()
        try:
            return work()
        finally:
            config.stdout = stdout
