"""`op.backfill` and `op.require_backfill`: between two steps of a revision where it is short, else by the command.

Every run of Alembic reads this file; what carries a backfill out is imported by those who have one.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from alembic.operations import MigrateOperation, Operations
from sqlalchemy import select

from alembic_online.backfill.definition import Backfill, Function, verbatim
from alembic_online.errors import RevisionFailed
from alembic_online.postgres.sql.identifiers import quoted
from alembic_online.runtime.bookkeeping import standing
from alembic_online.runtime.history import BACKFILL_TABLE
from alembic_online.runtime.run_at_hand import run_at_hand


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

        `deferred` leaves all of it to `python -m alembic_online backfill NAME`, and `op.require_backfill(NAME)` in a
        later revision refuses until that is done. Raises `BackfillPending` if it takes longer than the policy allows.
        """
        table = ".".join(quoted(part) for part in (schema, table_name) if part)
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
    from alembic_online.backfill.in_upgrade import run_outside  # noqa: PLC0415  see above
    from alembic_online.backfill.script import as_update, script  # noqa: PLC0415

    context = operations.migration_context
    if context.as_sql:
        with context.autocommit_block():
            operations.execute(verbatim(script(operation.definition, commits=True)))
        _note_done(operations, operation.definition)
    elif (run := run_at_hand(context)) is None:
        operations.execute(verbatim(script(operation.definition, commits=False)))
        _note_done(operations, operation.definition)
    else:
        if run.is_in_savepoint():
            raise RevisionFailed(
                f"{operation.definition.name} is filled in batches, each committed; that cannot be in a savepoint"
                " (begin_nested, SAVEPOINT).",
                "Take op.backfill out of the savepoint, or write it as one UPDATE.",
            )
        if operation.definition.values:
            run.count_overwritten(as_update(operation.definition))
        work = partial(run_outside, context, operation.definition, deferred=operation.deferred)
        run.once(f"UPDATE by {_words(operation.definition)}", work)


def _words(definition: Backfill) -> str:
    """With the table and the columns, by which it is told whether they are the same still."""
    return f"backfill {definition.name} of {definition.table}: {', '.join(definition.named_columns())}"


def _note_done(operations: Operations, definition: Backfill) -> None:
    """The block ends with the last row: a later revision may require it."""
    from alembic_online.backfill import state  # noqa: PLC0415

    script = operations.migration_context.as_sql
    schema = None if script else standing(operations.get_bind(), BACKFILL_TABLE).schema
    for statement in state.done(definition, schema):
        operations.execute(statement)


@Operations.implementation_for(RequireBackfillOp)
def _require(operations: Operations, operation: RequireBackfillOp) -> None:
    from alembic_online.backfill import state  # noqa: PLC0415
    from alembic_online.backfill.in_upgrade import is_done, pending  # noqa: PLC0415

    context = operations.migration_context
    if context.as_sql:
        return  # the script of the backfill ended with the last row
    bind = operations.get_bind()
    place = standing(bind, BACKFILL_TABLE)
    columns = state.backfill_table(place.schema).c
    finished = select(columns.finished).where(columns.name == operation.name)
    slices = bind.scalars(finished).all() if place.exists else []
    run = run_at_hand(context)
    if not slices or (None in slices and not (run is not None and is_done(run.beside, operation.name))):
        raise pending(operation.name, "has not come to its end" if slices else "has not been begun")
