"""The connections and locks of a run that changes the database, and what happens when it is told to stop."""

import asyncio
import logging
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import String, column, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alembic_online.alembic_seam import SupervisedContext, supervise
from alembic_online.errors import Stopped
from alembic_online.policy import Policy
from alembic_online.postgres.connection.sync_facade import as_async
from alembic_online.runner.data_loss_confirmation import Consent
from alembic_online.runner.hand_change_check import HandChangeCheck
from alembic_online.runner.lock_wait import FreeWay
from alembic_online.runner.pipeline import Apply
from alembic_online.runner.progress import shown
from alembic_online.runner.run import Run
from alembic_online.runtime.activity import Activity
from alembic_online.runtime.advisory_lock import MIGRATOR, SESSION, Holder, acquire, lock_space
from alembic_online.runtime.bookkeeping import VERSION_TABLE, standing, stands
from alembic_online.runtime.control_connection import Asking
from alembic_online.runtime.current_command import Command
from alembic_online.runtime.history import TABLE, History
from alembic_online.runtime.rehearsal import REHEARSAL
from alembic_online.runtime.waiter import Beside, Waiter

if TYPE_CHECKING:
    from alembic_online.runner.contract_gate import ContractGate

log = logging.getLogger("alembic.runtime.migration")


class Migrator:
    """Holds the migrator's lock; `begin` puts the safeguards around the run."""

    def __init__(
        self,
        asking: AsyncConnection,
        pids: tuple[int, int],
        command: Command,
        policy: Policy,
        waiter: Waiter | None = None,
    ) -> None:
        self._asking, self._policy = Asking(asking, waiter), policy
        self.pid, self._asking_pid = pids
        self.engine, self._command, self._stamping = asking.engine, command, command.name == "stamp"
        self.activity = Activity()
        self.terminal = command.from_command_line and sys.stderr.isatty()
        self.version_schema: str | None = None
        self.gate: ContractGate | None = None

    def begin(
        self, migration_context: MigrationContext, reason: str = "", arguments: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """Open the history, and surround the revisions that follow. Called in the migration's own greenlet.

        `reason` is why a stamp is true, where nobody has compared; `arguments` are those of `alembic -x`.
        """
        assert migration_context.connection is not None, "a run that changes the database has one"
        self.version_schema = migration_context.version_table_schema
        place = standing(migration_context.connection, TABLE, migration_context.version_table_schema)
        history = History(self._asking, place.schema)
        history.prepare(exists=place.exists, stamping=self._stamping)
        way = FreeWay(self._asking, (self.pid, self._asking_pid), self._policy, self.activity)
        consent = Consent(self._policy, can_ask=self.terminal and sys.stdin.isatty())
        beside = Beside(self._asking.waiter, as_async(migration_context.connection.engine))
        config = migration_context.config
        rehearsal = config.attributes.get(REHEARSAL) if config is not None else None
        check = None
        if rehearsal is None:
            check = HandChangeCheck(migration_context, self._asking, history, self._policy, self._stamping, reason)
            check.begin()
        waits = self._policy.expand_contract and rehearsal is None

        def apply(context: SupervisedContext) -> Apply:
            self.gate = gate = self._make_gate(context, history, arguments) if waits else None
            run = Run(context, self._policy, history, way, self.activity, beside, consent, check, gate, rehearsal)
            return Apply(run)

        supervise(migration_context, apply, is_stamped=bool(self._command.heads_seen))

    def _make_gate(self, context: SupervisedContext, history: History, arguments: Mapping[str, Any]) -> "ContractGate":
        """What has a contract wait; the phases are kept for older releases, beside what else is done."""
        from alembic_online.releases.stored import keep  # noqa: PLC0415  who has no phases should not pay for it
        from alembic_online.runner.contract_gate import ContractGate, Wish  # noqa: PLC0415  as above

        wish = Wish.of(arguments)
        scripts, stamped = context.script, (context.version_table, context.version_table_schema)
        assert scripts is not None, "Alembic gives every environment its script directory"
        self._asking.send(lambda connection: keep(connection, scripts, stamped))
        pids = self.pid, self._asking_pid
        return ContractGate(context, history, pids, self._policy, self.activity, wish)

    async def cancel(self) -> None:
        """Cancel the running statement, on a connection of its own."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT pg_cancel_backend(:pid)"), {"pid": self.pid})

    async def close(self) -> None:
        """Leave nothing behind that nobody waits for."""
        await self._asking.close()


@asynccontextmanager
async def migrating(
    engine: AsyncEngine,
    connection: AsyncConnection,
    asking: AsyncConnection,
    pids: tuple[int, int],
    command: Command,
    policy: Policy,
    waiter: Waiter | None = None,
) -> AsyncIterator[Migrator]:
    """Take the migrator's locks, then show what happens until the block ends.

    On `connection` the revisions run; `asking` is another one. `pids` are those of their backends, in this order.

    Raises `TableBlocked`, `Stopped`.
    """
    await asking.execution_options(isolation_level="AUTOCOMMIT")
    migrator = Migrator(asking, pids, command, policy, waiter)
    async with shown(migrator.activity, engine, migrator.pid, terminal=migrator.terminal):
        await stoppable(lambda: _take_locks(asking, connection, migrator, policy), migrator)
        try:
            yield migrator
        finally:
            await migrator.close()


async def _take_locks(asking: AsyncConnection, connection: AsyncConnection, migrator: Migrator, policy: Policy) -> None:
    space = lock_space()
    said = ""

    def on_wait(holder: Holder | None, seconds: float) -> None:
        nonlocal said
        line = f"Waiting for another migration of this database: {holder or 'it begins or ends just now'}"
        migrator.activity.wait(f"{line}, {seconds:.0f} s")
        if not said or (holder and said != line):
            log.info("%s", line)
            said = line

    await acquire(asking, space, MIGRATOR, patience=policy.migrator_timeout, on_wait=on_wait)
    await acquire(connection, space, SESSION, patience=policy.migrator_timeout, on_wait=on_wait)
    migrator.activity.stop_waiting()


async def stoppable(run: Callable[[], Awaitable[None]], migrator: Migrator) -> None:
    """Run until done or told to stop by SIGINT or SIGTERM; then cancel the running statement, and say where it was.

    Raises `Stopped`. Only in the main thread, which is the one that gets signals.
    """
    task = asyncio.ensure_future(run())
    with _on_signals(task) as received:
        try:
            await task
        except (asyncio.CancelledError, Exception):
            if not received:
                raise
            raise await stopped(migrator, received[0]) from None


async def stopped(migrator: Migrator, number: signal.Signals) -> Stopped:
    """Cancel the running statement; what is raised then says where it was."""
    # On a connection of its own: whichever of the two was in the middle of a statement is of no use any more.
    async with migrator.engine.connect() as connection:
        await connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": migrator.pid})
        stamped = await stands(connection, VERSION_TABLE, migrator.version_schema)
        query = select(column("version_num", String)).select_from(table(VERSION_TABLE, schema=stamped.schema))
        heads: list[str] = list(await connection.scalars(query)) if stamped.exists else []
    stopped = Stopped(
        f"Stopped by {number.name}: {migrator.activity.where}.",
        "The running statement was cancelled and its transaction rolled back;"
        f" the database is at {', '.join(heads) or 'base'}.\nRun the same command again to finish.",
    )
    stopped.exit_code = 128 + number  # type: ignore[misc]
    return stopped


@contextmanager
def _on_signals(task: "asyncio.Future[None]") -> Iterator[list[signal.Signals]]:
    received: list[signal.Signals] = []
    if threading.current_thread() is not threading.main_thread() or sys.platform == "win32":
        yield received
        return

    def stop(number: signal.Signals) -> None:
        received.append(number)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        yield received
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
