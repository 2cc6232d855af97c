"""`op.backfill` and `op.require_backfill`: between two steps of a revision where it is short, else by the command."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from alembic.operations import MigrateOperation, Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only

from src.safety.activity import Activity, Progress
from src.safety.backfill import state
from src.safety.backfill.definition import Backfill, Function, verbatim
from src.safety.backfill.run import Report, backfill, begin
from src.safety.backfill.script import script
from src.safety.errors import BackfillPending
from src.safety.policy import Policy

_TRIAL = 10.0  # seconds after which the rate is known well enough to say how long all of it will take


@Operations.register_operation("backfill")
class BackfillOp(MigrateOperation):
    """Fill columns of the rows that are there."""

    def __init__(self, definition: Backfill, *, deferred: bool) -> None:
        self.definition, self.deferred = definition, deferred

    @classmethod
    def backfill(
        cls,
        operations: Operations,
        table_name: str,
        values: Mapping[str, str] | None = None,
        *,
        where: str | None = None,
        function: Function | str | None = None,
        reads: Sequence[str] = (),
        schema: str | None = None,
        name: str = "",
        deferred: bool = False,
    ) -> None:
        """Fill `values` (column to SQL), or what `function` returns for batches of rows, in short transactions.

        `deferred` leaves all of it to `python -m src.safety backfill NAME`, and `op.require_backfill(NAME)` in a later
        revision refuses until that is done. Raises `BackfillPending` if it takes longer than the policy allows.
        """
        quote = operations.migration_context.dialect.identifier_preparer.quote
        table = ".".join(quote(part) for part in (schema, table_name) if part)
        given: dict[str, Any] = {"values": dict(values or {}), "where": where, "function": function, "name": name}
        definition = Backfill(table=table, reads=tuple(reads), **given)
        operations.invoke(cls(definition, deferred=deferred))


@Operations.register_operation("require_backfill")
class RequireBackfillOp(MigrateOperation):
    """Go on only if a backfill is complete."""

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def require_backfill(cls, operations: Operations, name: str) -> None:
        """Raise `BackfillPending` unless the backfill of this name has come to its end."""
        operations.invoke(cls(name))


@Operations.implementation_for(BackfillOp)
def _backfill(operations: Operations, operation: BackfillOp) -> None:
    context = operations.migration_context
    if context.as_sql:
        with context.autocommit_block():
            operations.execute(verbatim(script(operation.definition, commits=True)))
    elif "activity" not in context.opts:  # the caller's own connection and transaction
        operations.execute(verbatim(script(operation.definition, commits=False)))
    else:
        run_outside(context, operation.definition, deferred=operation.deferred)


@Operations.implementation_for(RequireBackfillOp)
def _require(operations: Operations, operation: RequireBackfillOp) -> None:
    if operations.migration_context.as_sql:
        return  # the script of the backfill ended with the last row
    bind = operations.get_bind()
    there = bind.dialect.has_table(bind, state.TABLE.name)
    finished = select(state.COLUMNS.finished).where(state.COLUMNS.name == operation.name)
    slices = bind.scalars(finished).all() if there else []
    if not slices or None in slices:
        raise pending(operation.name, "has not come to its end" if slices else "has not been begun")


def run_outside(context: MigrationContext, definition: Backfill, *, deferred: bool = False) -> None:
    """Run `definition` on connections of its own, between two transactions of the revision.

    Begun anew by each revision that says so, but not by one that is resumed: the journal keeps the beginning.
    """
    assert context.connection is not None, "only a script has none"
    engine = AsyncEngine(context.connection.engine)
    policy: Policy = context.opts["policy"]
    activity: Activity = context.opts["activity"]
    with context.autocommit_block():
        await_only(_with_connection(engine, state.make_table))
        name = literal(definition.name).compile(dialect=context.dialect, compile_kwargs={"literal_binds": True})
        context.execute(verbatim(f"DELETE FROM {state.TABLE.name} WHERE name = {name}"))
        activity.begin_step(f"backfill {definition.name}")
        if deferred or policy.backfill_limit == 0:
            await_only(_with_connection(engine, lambda connection: begin(connection, definition)))
        if deferred:
            return
        await_only(backfill(engine, definition, policy=policy, on_report=_teller(definition, policy, activity)))


def pending(name: str, why: str) -> BackfillPending:
    """The error for a backfill that is not at its end."""
    return BackfillPending(
        f"The backfill {name} {why}; what is done of it is kept.",
        f"Run: python -m src.safety backfill {name}\nThen run the same command again.",
    )


def _teller(definition: Backfill, policy: Policy, activity: Activity) -> Any:
    begun = time.monotonic()

    def tell(report: Report) -> None:
        progress = report.progress
        phase = f"{report.rate:,.0f} rows a second" if progress.passes == 1 else f"pass {progress.passes}"
        size = f"about {progress.total:,} rows"
        activity.progress = Progress(
            phase, progress.walked, progress.total, definition.table, size, report.seconds_left
        )
        if report.waiting:
            activity.wait(f"Backfill {definition.name} waits: {report.waiting}")
        elif activity.waiting:
            activity.stop_waiting()
        known = time.monotonic() - begun > _TRIAL or policy.backfill_limit == 0
        if known and not progress.finished and report.seconds_left >= policy.backfill_limit:
            why = f"takes about {report.seconds_left:,.0f} s more, and an upgrade may take {policy.backfill_limit:g} s"
            raise pending(definition.name, f"{why} for one")

    return tell


async def _with_connection(engine: AsyncEngine, act: Any) -> None:
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await act(connection)
