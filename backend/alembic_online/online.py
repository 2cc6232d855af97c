"""`with online(context): context.run_migrations()`: the one line of an env.py that changes.

The engine, the connection and all that `context.configure` was told stay its owner's.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import alembic.context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alembic_online.alembic_seam import (
    Supervisor,
    commit_each_revision,
    is_in_callers_transaction,
    join_transaction,
    replace_connection,
    supervise,
    use_version_table,
    version_table,
)
from alembic_online.errors import RequestRefused
from alembic_online.failures.error_boundary import plain_errors
from alembic_online.failures.notes import note_causes
from alembic_online.policy import Policy
from alembic_online.postgres.connection.connected_url import connected_url
from alembic_online.postgres.connection.engine import sync_engine
from alembic_online.postgres.connection.sync_facade import as_async, connection_as_async
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.declared import one_metadata
from alembic_online.review import preflight
from alembic_online.revision_file import ASKS_OTHERS, finish_files, surround_hooks, write_what_differs
from alembic_online.revisions.faulty_line import refuse_what_has_no_value
from alembic_online.revisions.graph import load_chain
from alembic_online.revisions.project import RECEIVER, OwnSession, ProjectTold
from alembic_online.revisions.squashed import begin_with_squashed
from alembic_online.runtime.advisory_lock import SESSION, lock_space, released_at_end
from alembic_online.runtime.bookkeeping import VERSION_TABLE
from alembic_online.runtime.current_command import Command
from alembic_online.runtime.logs import show_what_happens
from alembic_online.runtime.owners_session import (
    is_same_session,
    left_as_it_was,
    local_settings_kept,
    make_like,
    others_alike,
    set_by_owner,
)
from alembic_online.runtime.rehearsal import REHEARSAL, ROLLED_BACK, Rehearsal
from alembic_online.runtime.session import prepare_own_session, session_settings
from alembic_online.runtime.up_to_date import is_up_to_date
from alembic_online.runtime.waiter import GreenletWaiter, Waiter, loop_beside

if TYPE_CHECKING:
    from alembic_online.runner.migrator import Migrator

log = logging.getLogger("alembic.runtime.migration")


@contextmanager
def online(
    context: Any = alembic.context,
    *,
    policy: Policy | None = None,
    production: bool = False,
    expand_contract: bool = False,
) -> Iterator[None]:
    """Stand in the place of `context.begin_transaction()`, after `context.configure()` and around `run_migrations()`.

    On PostgreSQL the command at hand is carried out as `run_environment` does it. On any other database, this is
    `context.begin_transaction()` and nothing else. Without a `policy` the variables of the environment are read;
    where they are silent, `production` makes its guards strict, and `expand_contract` has a contract wait for the
    releases before it. On the command line a `UserError` is printed and becomes the exit code; from
    code it is raised.
    """
    run: MigrationContext = context.get_context()
    if run.dialect.name != "postgresql":
        with context.begin_transaction():
            yield
        return
    if (receiver := context.config.attributes.get(RECEIVER)) is not None:
        assert run.connection is not None, "the verbs run no script"
        given = policy or Policy.from_environment(production=production, expand_contract=expand_contract)
        filters = {name: run.opts.get(name) for name in ("include_name", "include_object")}
        session = OwnSession(set_by_owner(run.connection), run.version_table, run.version_table_schema, filters)
        receiver(one_metadata(run.opts.get("target_metadata")), connected_url(run.connection).dsn, given, session)
        raise ProjectTold
    command = Command.at_hand()
    with plain_errors(command):
        policy = policy or Policy.from_environment(production=production, expand_contract=expand_contract)
        show_what_happens(command)
        refuse_what_has_no_value(run.dialect)
        load_chain(context.script)
        if command.offline:
            from alembic_online.runner.offline import begin_script  # noqa: PLC0415  the recipes, for a script alone

            begin_script(run, policy)
            begin_with_squashed(command)
            with context.begin_transaction():
                yield
            return
        if (rolled_back := context.config.attributes.get(ROLLED_BACK)) is not None:
            join_transaction(run, rolled_back)
        assert run.connection is not None, "only a script has none"
        target = connected_url(run.connection)
        metadata = one_metadata(run.opts.get("target_metadata"))
        with ExitStack() as stack:
            rehearsal: Rehearsal | None = context.config.attributes.get(REHEARSAL)
            if rehearsal is not None:
                policy, target = rehearsal.policy, rehearsal.target
                stack.enter_context(_elsewhere(run, target))
            command.target = target
            _compare_with(run, command, metadata, policy)
            with _carried_out(context, command, policy, metadata, target):
                yield


@contextmanager
def _carried_out(
    context: Any, command: Command, policy: Policy, metadata: MetaData, target: DatabaseURL
) -> Iterator[None]:
    run: MigrationContext = context.get_context()
    connection = run.connection
    assert connection is not None, "only a script has none"
    theirs = is_in_callers_transaction(run)
    run.on_version_apply_callbacks = (*run.on_version_apply_callbacks, command.count_step)
    if command.changes_database and theirs:
        log.warning(
            "The connection was in a transaction before context.configure(): all of this %s runs in it, as with"
            " plain Alembic. Nothing is carried out in steps, and nothing is tried again.%s",
            command.name,
            " No contract waits for an older release." if policy.expand_contract else "",
        )
    with ExitStack() as stack:
        migrator = None
        if not theirs:
            stack.enter_context(local_settings_kept(connection))
        if command.changes_database and not theirs:
            commit_each_revision(run)
            rehearses = REHEARSAL in context.config.attributes
            if rehearses or not is_up_to_date(connection, version_table(run), command, policy):
                migrator = stack.enter_context(_migrating(connection, command, policy, target))
        stack.enter_context(around_revisions(context, command, policy, metadata, migrator, theirs=theirs))
        yield


@contextmanager
def around_revisions(
    context: Any, command: Command, policy: Policy, metadata: MetaData, migrator: "Migrator | None", *, theirs: bool
) -> Iterator[None]:
    """What every command does before its revisions and after them, on whatever connection.

    `migrator` holds the locks of one that changes the database, and is None for one that has nothing to do; `theirs` is
    a transaction that the caller will end.
    """
    run: MigrationContext = context.get_context()
    assert run.connection is not None, "only a script has none"
    preflight.check_database(run.connection, run, metadata, command, policy)
    begin_with_squashed(command)
    reason = _unproven(run, metadata, command, policy) if command.name == "stamp" else ""
    if migrator is not None:
        migrator.begin(run, reason, command.environment.get_x_argument(as_dictionary=True))
    elif theirs and command.changes_database:
        supervise(run, lambda _: CallersTransaction())
    elif command.changes_database:
        supervise(run, lambda _: NothingToDo(), is_stamped=bool(command.heads_seen))
    with note_causes(run.connection), context.begin_transaction():
        yield
    if migrator is None or migrator.gate is None or not migrator.gate.has_stopped:
        command.report()
    if command.name == "current":
        # Imported late, as all of the runner: a command that runs no revision should not pay for it.
        from alembic_online.runner.hand_change_check import warn_of_hand_changes  # noqa: PLC0415

        warn_of_hand_changes(run)


def _unproven(run: MigrationContext, metadata: MetaData, command: Command, policy: Policy) -> str:
    # Imported late: an upgrade should not pay for it.
    from alembic_online.review.stamp_check import check_stamp  # noqa: PLC0415

    return check_stamp(run, metadata, command, policy)


@contextmanager
def _migrating(connection: Connection, command: Command, policy: Policy, target: DatabaseURL) -> Iterator["Migrator"]:
    """Take the migrator's locks on another connection of the same engine, until the end of the block."""
    # Imported late: an upgrade that has nothing to do should not pay for it.
    from alembic_online.runner.migrator import migrating  # noqa: PLC0415
    from alembic_online.runner.stop_signals import stoppable_beside  # noqa: PLC0415

    with ExitStack() as stack:
        owners = set_by_owner(connection)
        stack.enter_context(left_as_it_was(connection, session_settings(policy.network_timeout)))
        stack.enter_context(released_at_end(connection, lock_space(), SESSION))
        waiter, engine, own = stack.enter_context(_waiting(connection))
        wait = waiter.wait

        def enter(manager: Any) -> Any:
            entered = wait(manager.__aenter__())
            stack.push(lambda *error: wait(manager.__aexit__(*error)))
            return entered

        stack.enter_context(others_alike(connection, owners))
        asking: AsyncConnection = enter(engine.connect())
        _refuse_one_connection(connection, asking)
        pid = wait(prepare_own_session(engine, own, target, policy.network_timeout))
        pids = pid, wait(prepare_own_session(engine, asking, target, policy.network_timeout))
        migrator: Migrator = enter(migrating(engine, own, asking, pids, command, policy, waiter))
        with stoppable_beside(waiter, migrator):
            yield migrator


@contextmanager
def _waiting(connection: Connection) -> Iterator[tuple[Waiter, AsyncEngine, AsyncConnection]]:
    """How the run waits, and its engine and connection as what is written with `await` uses them."""
    engine = as_async(connection.engine)
    if connection.dialect.is_async:
        yield GreenletWaiter(), engine, AsyncConnection(engine, connection)
        return
    with loop_beside() as waiter:
        yield waiter, engine, connection_as_async(connection)


def _refuse_one_connection(connection: Connection, asking: AsyncConnection) -> None:
    assert asking.sync_connection is not None, "it is open"
    if is_same_session(asking.sync_connection, connection):
        raise RequestRefused(
            f"The engine has one connection for all ({type(connection.engine.pool).__name__}); a migration needs"
            " another one beside its own, which looks for locks and keeps the journal.",
            "Give env.py an engine with poolclass=NullPool.",
        )


class NothingToDo(Supervisor):
    """All is applied. Whoever applies more since then has taken the lock for it, and this run has not."""

    def steps(self, heads: Sequence[str], steps: Iterable[Any]) -> Iterable[Any]:
        """None."""
        return ()


class CallersTransaction(Supervisor):
    """The transaction was begun by whoever passed the connection in, and ends with him."""

    def autocommit_block(self, leave: Callable[[], AbstractContextManager[None]]) -> AbstractContextManager[None]:
        """Raise `RequestRefused`."""
        raise RequestRefused(
            "The revision leaves its transaction (autocommit_block), and this one is the caller's.",
            "Run it by the command line, or with a connection that is in no transaction.",
        )


def _compare_with(run: MigrationContext, command: Command, metadata: MetaData, policy: Policy) -> None:
    """`revision --autogenerate` and `check` compare as the toolkit does; then the project's own hook sees the lines."""
    surround_hooks(run, partial(write_what_differs, command, metadata, policy), partial(finish_files, command))
    # No change is to be reported twice; plugins of others go on.
    plugins = run.opts.get("autogenerate_plugins") or ()
    run.opts["autogenerate_plugins"] = [*ASKS_OTHERS, *(name for name in plugins if not name.startswith("alembic."))]


@contextmanager
def _elsewhere(run: MigrationContext, target: DatabaseURL) -> Iterator[None]:
    """A rehearsal: the revisions run in a scratch database, and env.py's own connection is left alone.

    There the version table is the usual one, and the search_path is the rehearsal's. Parameters of the application
    (`app.tenant`) are the owner's.
    """
    assert run.connection is not None, "only a script has none"
    parameters = {name: value for name, value in set_by_owner(run.connection).items() if "." in name}
    with sync_engine(target).connect() as connection:
        make_like(connection, parameters)
        replace_connection(run, connection)
        use_version_table(run, VERSION_TABLE)
        yield
