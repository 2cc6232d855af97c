"""Our lines as Alembic's own operations, for a project's hook that looks for those (`Rewriter`, ModifyTableOps).

A line says more than its operation (imports, `postgresql_concurrently`, text over several lines), so what the hook has
left as it was is written as our line. What it has changed, or put there, is written by Alembic.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from alembic.autogenerate import render_op_text
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, MigrationScript, Operations, ops
from alembic.runtime.migration import MigrationContext

from alembic_online.autogenerate.op_rendering import Call, Statement
from alembic_online.autogenerate.schema_copy import names_of_lines

_OF_A_TABLE = (ops.AlterTableOp, ops.AddConstraintOp, ops.DropConstraintOp, ops.CreateIndexOp, ops.DropIndexOp)


class StockOperations:
    """Of one new revision: what stands for which line."""

    def __init__(self, context: MigrationContext) -> None:
        self._context = AutogenContext(context, autogenerate=False)
        self._recorder = _Recorder(context)
        self._lines: dict[int, tuple[MigrateOperation, Call, str]] = {}
        """By the id of the operation, which is kept so that no other one gets that."""

    def put(self, _: object, __: object, directives: list[MigrationScript]) -> None:
        """Alembic's hook: in the place of our lines."""
        for each in _containers(directives):
            each.ops = [self._operation(line) for line in each.ops]

    def take_back(self, _: object, __: object, directives: list[MigrationScript]) -> None:
        """Alembic's hook: our lines again, where nobody has changed anything."""
        for each in _containers(directives):
            each.ops = list(self._written(each.ops))

    def _operation(self, line: MigrateOperation) -> MigrateOperation:
        if not isinstance(line, Call) or isinstance(line, Statement):
            return line
        operation = self._recorder.recorded(line)
        if type(operation).__module__ != ops.__name__:
            return line  # of ours (op.backfill), or of a package's
        try:
            self._lines[id(operation)] = operation, line, render_op_text(self._context, operation)
        except (ValueError, NotImplementedError):  # Alembic does not write such a line, so no hook looks for it
            return line
        if not isinstance(operation, _OF_A_TABLE):
            return operation
        told: Any = operation
        return ops.ModifyTableOps(getattr(told, "table_name", None) or told.source_table, [operation])

    def _written(self, operations: Sequence[MigrateOperation]) -> Iterator[MigrateOperation]:
        for each in operations:
            if isinstance(each, ops.ModifyTableOps):
                yield from self._written_of_table(each)
            else:
                yield self._line(each) or each

    def _written_of_table(self, table: ops.ModifyTableOps) -> Iterator[MigrateOperation]:
        """Each by itself: a line of ours knows no batch."""
        for each in table.ops:
            yield self._line(each) or ops.ModifyTableOps(table.table_name, [each], schema=table.schema)

    def _line(self, operation: MigrateOperation) -> Call | None:
        if id(operation) not in self._lines:
            return None
        _, line, before = self._lines[id(operation)]
        return line if render_op_text(self._context, operation) == before else None


def _containers(scripts: list[MigrationScript]) -> Iterator[ops.OpContainer]:
    for script in scripts:
        yield from script.upgrade_ops_list
        yield from script.downgrade_ops_list


class _Recorder(Operations):
    """Carries out nothing."""

    def recorded(self, line: Call) -> MigrateOperation:
        """What the line asks for."""
        operation: MigrateOperation = eval(str(line), names_of_lines(self, [line]))
        return operation

    def invoke(self, operation: MigrateOperation) -> Any:
        """What was asked for."""
        return operation
