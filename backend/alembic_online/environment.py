"""What every env.py calls: Alembic's command is run online, offline, or on a connection that is passed in."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from alembic import context
from sqlalchemy import Column, Connection, MetaData, String, Table, pool

from alembic_online.failures.error_boundary import plain_errors
from alembic_online.online import around_revisions
from alembic_online.policy import Policy
from alembic_online.postgres.connection.connect import connected
from alembic_online.postgres.connection.connected_url import connected_url
from alembic_online.postgres.connection.engine import async_engine, resolve_url, revision_engine
from alembic_online.revision_file import (
    ASKS_OTHERS,
    finish_files,
    number_merges,
    prepare,
    process_directives,
    surround_hooks,
)
from alembic_online.revisions.faulty_line import refuse_what_has_no_value
from alembic_online.revisions.graph import load_chain
from alembic_online.revisions.head_file import keep_head_file
from alembic_online.revisions.project import RECEIVER
from alembic_online.revisions.squashed import begin_with_squashed
from alembic_online.runtime.bookkeeping import VERSION_TABLE
from alembic_online.runtime.current_command import Command
from alembic_online.runtime.logs import configure_logging
from alembic_online.runtime.own_thread import outside_of_loops
from alembic_online.runtime.rehearsal import REHEARSAL, Rehearsal
from alembic_online.runtime.session import prepare_own_session
from alembic_online.runtime.up_to_date import is_up_to_date

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from alembic_online.runner.migrator import Migrator

APPLICATION_NAME = "alembic"
_ENGINE: dict[str, Any] = {"application_name": APPLICATION_NAME, "poolclass": pool.NullPool}
_VERSION = Table(VERSION_TABLE, MetaData(), Column("version_num", String))
_OFFLINE: dict[str, Any] = {"literal_binds": True, "dialect_opts": {"paramstyle": "named"}}


def run_environment(
    metadata: MetaData,
    *,
    url: str,
    policy: Policy | None = None,
    production: bool = False,
    expand_contract: bool = False,
) -> None:
    """Run the Alembic command at hand with `metadata` as the models; called from an env.py and nowhere else.

    `url` is in any usual spelling (see `alembic_online.postgres.connection.url`), and looked at only by a command that
    needs the database. A caller who puts a sync Connection into `config.attributes["connection"]` has everything run
    on it, in his own transaction. Without a `policy`, the environment's variables are read; where they are silent,
    `production` makes its guards strict, and `expand_contract` has a contract wait for the releases before it. On the
    command line a `UserError` is printed and becomes the exit code; from code it is raised.
    """
    if (receiver := context.config.attributes.get(RECEIVER)) is not None:
        given = policy or Policy.from_environment(production=production, expand_contract=expand_contract)
        receiver(metadata, url, given)
        return
    command = Command.at_hand()
    with plain_errors(command):
        policy = policy or Policy.from_environment(production=production, expand_contract=expand_contract)
        rehearsal: Rehearsal | None = context.config.attributes.get(REHEARSAL)
        if rehearsal is not None:
            policy, url = rehearsal.policy, rehearsal.target.dsn
        configure_logging(command)
        prepare(context.script)
        load_chain(context.script)
        keep_head_file(command)
        if command.offline:
            _configure(metadata, command, policy, dialect_name="postgresql", **_OFFLINE)
            from alembic_online.runner.offline import begin_script  # noqa: PLC0415  the recipes, for a script alone

            begin_script(context.get_context(), policy)
            begin_with_squashed(command)
            with context.begin_transaction():
                context.run_migrations()
        elif not command.needs_database:
            if command.name == "merge":
                number_merges(command)
            _configure(metadata, command, policy, dialect_name="postgresql")
            command.run_on_files(context.get_context())
        elif (connection := context.config.attributes.get("connection")) is not None:
            command.target = connected_url(connection)
            _run(metadata, command, policy, connection, theirs=True)
        else:
            outside_of_loops(lambda: asyncio.run(_run_online(metadata, command, url, policy)))


async def _run_online(metadata: MetaData, command: Command, url: str, policy: Policy) -> None:
    target = resolve_url(url)
    command.target = target
    # By asyncpg where the URL names no driver: it prepares what is asked often.
    engine = async_engine(target, **_ENGINE)
    run = partial(_run, metadata, command, policy)
    rehearses = REHEARSAL in command.environment.config.attributes
    try:
        async with connected(engine, target, patience=policy.connect_timeout) as asking:
            pid = await prepare_own_session(engine, asking, target, policy.network_timeout)
            look = partial(is_up_to_date, version=_VERSION, command=command, policy=policy)
            if command.changes_database and (rehearses or not await asking.run_sync(look)):
                await _change(engine, asking, pid, command, policy, run)
            else:
                await asking.run_sync(run)
    finally:
        await engine.dispose()


async def _change(
    engine: "AsyncEngine",
    asking: "AsyncConnection",
    pid: int,
    command: Command,
    policy: Policy,
    run: Callable[..., None],
) -> None:
    """Run it on a connection of its own, beside the one that asks, whose backend is `pid`."""
    # Imported late: who has nothing to do should not pay for it.
    from alembic_online.runner.migrator import migrating, stoppable  # noqa: PLC0415

    target = command.target
    assert target is not None, "it is connected"
    runs = revision_engine(target, **_ENGINE) if command.runs_revisions else engine
    try:
        async with connected(runs, target, patience=policy.connect_timeout) as connection:
            pids = await prepare_own_session(runs, connection, target, policy.network_timeout), pid
            async with migrating(engine, connection, asking, pids, command, policy) as migrator:
                await stoppable(lambda: connection.run_sync(partial(run, migrator=migrator)), migrator)
    finally:
        await runs.dispose()


def _run(
    metadata: MetaData,
    command: Command,
    policy: Policy,
    connection: Connection,
    migrator: "Migrator | None" = None,
    *,
    theirs: bool = False,
) -> None:
    _configure(metadata, command, policy, connection=connection, on_version_apply=command.count_step)
    with around_revisions(context, command, policy, metadata, migrator, theirs=theirs):
        context.run_migrations()


def _configure(metadata: MetaData, command: Command, policy: Policy, **options: Any) -> None:
    context.configure(
        target_metadata=metadata,
        transaction_per_migration=True,
        autogenerate_plugins=ASKS_OTHERS,  # the toolkit compares, and no change is to be reported twice
        **options,
    )
    surround_hooks(
        context.get_context(), partial(process_directives, command, metadata, policy), partial(finish_files, command)
    )
    refuse_what_has_no_value(context.get_context().dialect)
