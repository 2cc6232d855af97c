"""The place where the stock operations are taken over, for one run: each is carried out by its online way, or directly.

Nothing is registered with Alembic itself: the one run's `impl` gets another `_exec`, and is gone with the run. For each
DDL of a revision:

1. `registry` says whether it has an online way. What has none, and needs none, goes on as it is.
2. A table that is new in this revision, or small, or named in the revision's `direct`, is changed directly: with the
   stock statement, which is ended when it takes longer than a lock may be held, and then done the online way.
3. Otherwise the transaction is committed, and the steps are run, each in a transaction of its own.

What is run as it stands shares a transaction with what comes before it, unless it writes rows under locks on a large
table. Once a lock was not to be had, it is committed also before another is locked, unless they belong together.

Which of the two ways was taken is in the journal: a revision goes on as it began, whatever the table has become.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial, wraps
from itertools import chain
from typing import Any

from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import Script
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, DDLElement, DropIndex
from sqlalchemy.sql.base import Executable

from src.postgres import sqlstate as state
from src.postgres.lock_modes import is_patient
from src.safety.apply.free_way import MustRetry
from src.safety.apply.one_by_one import writes_rows
from src.safety.apply.rehearsal import Rehearsal
from src.safety.apply.statement_guard import StatementGuard
from src.safety.online.database import Database
from src.safety.online.direct import new_names, reason_to_be_direct
from src.safety.online.foreseen import unmet_need
from src.safety.online.names import plain, sql_of, verbatim
from src.safety.online.registry import online_change
from src.safety.online.script import write
from src.safety.online.step import OnlineChange, Step, Steps, Task
from src.safety.policy import Policy

log = logging.getLogger("alembic.runtime.migration")


class OnlineOperations:
    """Carries out the operations of one run; without a guard it writes them into a script."""

    def __init__(
        self,
        context: MigrationContext,
        policy: Policy,
        guard: StatementGuard | None = None,
        rehearsal: Rehearsal | None = None,
    ) -> None:
        self._context, self._policy, self._guard = context, policy, guard
        asking = (self._connection, self._question, self._scratch, self._recall) if guard else ()
        self.database = Database(policy, *asking)
        if rehearsal is not None:
            self.database.believe = rehearsal.facts
        self._script: Script | None = None
        self._outside = False
        self._new: set[str] = set()
        # Indexes whose drop waits, in case that the next operation makes another of the same name.
        self._dropped: dict[str, OnlineChange] = {}
        self._too_slow: set[str] = set()  # statements that were tried directly, and took too long

    def install(self) -> None:
        """Take over this run's operations. With a guard, after it: the steps pass through it."""
        self._execute = self._context.impl._exec
        self._context.impl._exec = self._run  # type: ignore[method-assign]
        self._context.autocommit_block = self._noticed(self._context.autocommit_block)  # type: ignore[method-assign]

    def install_for_script(self) -> None:
        """The same for `--sql`, where nothing else surrounds the revisions."""
        self.install()
        steps = self._context._migrations_fn
        assert steps is not None, "set by EnvironmentContext.configure"
        self._context._migrations_fn = lambda heads, context: map(self._wrapped, steps(heads, context))

    @contextmanager
    def revision(self, script: Script) -> Iterator[None]:
        """Carry out the operations of one try of this revision until the end of the block."""
        self._script = script
        self._new.clear()
        self._dropped.clear()
        try:
            yield
            self._drop_what_waits()
        finally:
            self._script = None

    def _wrapped(self, step: Any) -> Any:
        if isinstance(step, RevisionStep):
            script, migrate = step.revision, step.migration_fn
            assert isinstance(script, Script)

            @wraps(migrate)  # Alembic writes a step by its name
            def run(**arguments: Any) -> None:
                with self.revision(script):
                    migrate(**arguments)

            step.migration_fn = run
        return step

    def _noticed(self, autocommit_block: Callable[[], Any]) -> Callable[[], Any]:
        @contextmanager
        def block() -> Iterator[None]:
            with autocommit_block():
                self._outside = True
                try:
                    yield
                finally:
                    self._outside = False

        return block

    def _run(self, construct: Executable | str, *arguments: Any, **options: Any) -> Any:
        """What stands in the place of `impl._exec`."""
        if self._script is None:
            return self._execute(construct, *arguments, **options)
        statement = text(construct) if isinstance(construct, str) else construct
        change = online_change(statement, self.database)
        if change is not None and isinstance(statement, CreateIndex) and change.index in self._dropped:
            del self._dropped[change.index]
            return self._carry_out(change.replacing, change.index)
        if not isinstance(statement, CreateIndex | DropIndex):
            self._drop_what_waits()
        self._new.update(map(plain, new_names(statement)))
        if change is None or plain(change.table) in self._new:
            return self._as_it_stands(statement, construct, *arguments, **options)
        directly = partial(self._as_it_stands, statement, construct, *arguments, **options)
        return self._change(statement, change, directly)

    def _as_it_stands(self, statement: Executable, construct: Executable | str, *arguments: Any, **options: Any) -> Any:
        if self._guard is not None and isinstance(statement, DDLElement | TextClause):
            self._let_go_before(sql_of(statement), self._guard)
        return self._execute(construct, *arguments, **options)

    def _let_go_before(self, sql: str, guard: StatementGuard) -> None:
        """Commit where locks on a table in use would be held while those on another are waited for, or rows change."""
        least = self._policy.small_table if writes_rows(sql) else 0
        tables = map(self.database.table, sorted(guard.beside(sql)))
        if any(facts is not None and facts.heap_bytes > least for facts in tables):
            self._commit()

    def _change(self, statement: Executable, change: OnlineChange, directly: Callable[[], Any]) -> Any:
        assert self._script is not None
        sql = sql_of(statement)
        words = f"way of {sql}"
        if reason := reason_to_be_direct(self._script, change.table):
            log.info("%s is changed directly: %s", change.table, reason)
            return directly()
        if words not in self._too_slow and unmet_need(sql, self.database):
            return self._bounded(words, directly)
        if self._is_direct(words, change):
            return directly() if is_patient(sql) else self._bounded(words, directly)
        if isinstance(statement, DropIndex) and change.index:
            self._dropped[change.index] = change
            return None
        return self._carry_out(change.steps, sql)

    def _is_direct(self, words: str, change: OnlineChange) -> bool:
        return self.database.recall_whether(words, lambda: words not in self._too_slow and self._is_small(change))

    def _is_small(self, change: OnlineChange) -> bool:
        facts = self.database.table(change.table) if change.table else None
        if facts is None or change.always:
            return False
        if change.needed:
            return facts.heap_bytes == 0
        return facts.temporary or facts.heap_bytes == 0 or facts.bytes < self._policy.small_table

    def _bounded(self, words: str, directly: Callable[[], Any]) -> Any:
        assert self._guard is not None
        try:
            self._guard.bounded = True
            return directly()
        except DBAPIError as error:
            if state.sqlstate(error) != state.QUERY_CANCELED:
                raise
            self._too_slow.add(words)
            raise MustRetry from error
        finally:
            self._guard.bounded = False

    def _carry_out(self, steps: Steps, words: str) -> None:
        if self._guard is None:
            write(self._context, steps, self._execute, outside=self._outside)
            return
        with self._guard.journal.operation(words):
            self._run_steps(steps, self._guard)

    def _run_steps(self, steps: Steps, guard: StatementGuard) -> None:
        first = next(steps, None)  # what has no way at all is refused before anything is committed
        self._commit()
        for step in chain((first,) if first else (), steps):
            if isinstance(step, Task):
                self._do(step, guard)
            else:
                self._take(step, guard)

    def _take(self, step: Step, guard: StatementGuard) -> None:
        if step.says:
            log.info("%s", step.says)
        leave = step.outside and not self._outside
        with self._context.autocommit_block() if leave else nullcontext():
            guard.step = step
            try:
                self._execute(verbatim(step.sql))
            finally:
                guard.step = None
        if not step.outside and not step.with_next:
            self._commit()

    def _do(self, task: Task, guard: StatementGuard) -> None:
        guard.journal.once(task.words, lambda: task.run(self._context))
        self._commit()

    def _commit(self) -> None:
        """Let go of all locks."""
        with nullcontext() if self._outside else self._context.autocommit_block():
            pass

    def _drop_what_waits(self) -> None:
        while self._dropped:
            index = next(iter(self._dropped))
            self._carry_out(self._dropped.pop(index).steps, index)

    def _recall(self, words: str, find: Callable[[], str]) -> str:
        assert self._guard is not None
        return self._guard.journal.recall(words, find)

    def _question(self) -> AbstractContextManager[None]:
        assert self._guard is not None
        return self._guard.question(self._connection())

    @contextmanager
    def _scratch(self) -> Iterator[Connection]:
        connection = self._connection()
        with self._question():
            # Outside of a transaction SQLAlchemy, which believes to be in one, begins none.
            connection.exec_driver_sql("BEGIN" if self._outside else "SAVEPOINT scratch")
            try:
                yield connection
            finally:
                if not connection.invalidated:
                    connection.exec_driver_sql("ROLLBACK" if self._outside else "ROLLBACK TO SAVEPOINT scratch")

    def _connection(self) -> Connection:
        assert self._context.connection is not None
        return self._context.connection
