"""Steps and the cut-over of one run, carried out: each step in a transaction of its own, the cut-over in one."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from itertools import chain, groupby
from traceback import FrameSummary
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from alembic_online.alembic_seam import SupervisedContext
from alembic_online.postgres import sqlstate as state
from alembic_online.recipes.catalogue_precheck import must_leave
from alembic_online.recipes.cutover.availability_gaps import Gaps
from alembic_online.recipes.cutover.pending_statements import Waiting, one_by_one
from alembic_online.recipes.cutover.reorder import may_stay
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import plain, verbatim
from alembic_online.recipes.object_effects import last_part
from alembic_online.recipes.step import Step, Steps, Task
from alembic_online.revisions.source_line import note_line
from alembic_online.runner.bound_types import joining_by_bind
from alembic_online.runner.lock_wait import MustRetry
from alembic_online.runner.pipelined_statements import Planned, together
from alembic_online.runner.statement_guard import StatementGuard
from alembic_online.runtime.history import Entry

log = logging.getLogger("alembic.runtime.migration")


class Running:
    """What is done, and what waits for the cut-over."""

    def __init__(
        self, context: SupervisedContext, guard: StatementGuard, database: Database, send: Callable[[Any], Any]
    ) -> None:
        self._context, self._guard, self._database, self._send = context, guard, database, send
        self.cut_over = database.cut_over
        self.outside = False
        """Whether the revision is outside of any transaction."""
        self.too_slow: set[str] = set()
        """Operations that were tried directly, and took too long."""
        self.busy = False
        """Whether what runs is ours, and not the revision's next line."""
        self._large = False
        self._locked_large: set[str] = set()
        """The large tables, plain, on which a savepoint has left a strong lock, if it was not gone back to."""
        self._gaps: Gaps | None = None
        self._uncommitted: list[Waiting] = []
        self._under_way: list[str] = []
        """Operations that have begun."""

    @contextmanager
    def revision(self, gaps: Gaps) -> Iterator[None]:
        """A try of one, until the end of the block."""
        self.cut_over.forget()
        self._large = self.busy = False
        self._locked_large.clear()
        self._gaps, self._uncommitted, self._under_way = gaps, [], []
        run = self._context.execute
        with joining_by_bind(self.connection, self.cut_over, self._joins, run, gaps.reads_here):
            yield

    def _joins(self) -> bool:
        return bool(self.cut_over) and not self.busy and not self._guard.is_ours and self._guard.may_wait

    def wait(self, waiting: Waiting, *, large: bool) -> None:
        """It is done in the cut-over. Locks on a `large` table are let go of as soon as it is."""
        if self._entry.direction == "downgrade" and self.cut_over.hides_loss(waiting.sql):
            self.carry_out()
        if (made := self.cut_over.stand_in_for(waiting.sql)) is not None:
            instead = partial(self._send, verbatim(made.rename))
            waiting = replace(waiting, stand_in=made, instead=instead)
        self.cut_over.add(waiting)
        self._large |= large

    def note_done(self, waiting: Waiting, large: Iterable[str]) -> None:
        """It is about to run in a savepoint, and does not wait; it locks these `large` tables."""
        if self._gaps is not None:
            self._gaps.note([waiting])
        self._uncommitted.append(waiting)
        self._locked_large |= {last_part(plain(table)) for table in large}

    @property
    def locked_large(self) -> set[str]:
        """The large tables, plain, on which a savepoint has left a strong lock."""
        return self._locked_large if self._guard.holds_locks else set()

    def steps(self, steps: Steps, words: str, line: FrameSummary | None = None) -> None:
        """Carry out an operation, known by its words, of this line of the revision.

        What may join the cut-over does, if there is one.
        """
        with self._guard.journal.operation(words), self._ours():
            self._steps(steps, line)
            self._under_way.append(self._guard.journal.at_hand)
        self._end_operations()

    def _end_operations(self) -> None:
        """Note what is done of the operations that were begun; of some a part waits for the cut-over."""
        waits = {each.operation for each in self.cut_over.waiting} | {each for each, *_ in self.cut_over.after}
        done = [each for each in self._under_way if each not in waits]
        self._under_way = [each for each in self._under_way if each in waits]
        to_keep = [each for each in done if self._guard.journal.end(each)]
        if to_keep:
            self._guard.keep_journal()

    def _steps(self, steps: Steps, line: FrameSummary | None) -> None:
        first = next(steps, None)  # what has no way at all is refused before anything is committed
        self.commit()
        joined = False
        group: list[Step] = []  # committed together
        for step in chain((first,) if first else (), steps):
            if isinstance(step, Step) and step.joins and (self.cut_over or (step.begins and self._guard.may_wait)):
                self.cut_over.add(self._waiting(step, line))
                joined = self._large = True
            elif joined:
                self.cut_over.after.append((self._guard.journal.at_hand, step, line))
            elif isinstance(step, Task) or step.outside or self.outside:
                self._one(step)
            else:
                group.append(step)
                if not step.with_next:
                    self._at_once([self._waiting(each, line) for each in group], commits=True)
                    group.clear()

    def keeps_waiting(self) -> bool:
        """Whether what waits is to be seen only together with what is still to come."""
        return self._gaps is not None and any(self._gaps.found(self.cut_over.waiting))

    def comes_back(self, waiting: Sequence[Waiting]) -> bool:
        """Whether something that these give up is made again below."""
        return self._gaps is not None and any(self._gaps.found(waiting))

    def would_be_missed(self, sql: str) -> bool:
        """Whether clients would miss something if what `sql` needs were carried out now."""
        stay = self._stay(sql)
        rest = [each for each in self.cut_over.waiting if each not in stay]
        return self._gaps is not None and any(self._gaps.found(rest))

    def commits(self) -> None:
        """The revision commits by itself: what waits goes with that, unless clients would miss it."""
        if self.keeps_waiting():
            self.cut_over.keep()
        else:
            self.carry_out(may_commit=False)
        self._uncommitted.clear()

    def rolls_back(self) -> None:
        """The revision rolls back by itself."""
        self.cut_over.forget()
        self._uncommitted.clear()
        self._under_way.clear()

    def carry_out(self, sql: str = "", *, may_commit: bool = True, last: bool = False) -> None:
        """The cut-over: in one transaction; of large tables it is committed with it, unless what comes next ends it.

        What comes next is `sql`, if that is known: what it does not need and clients would miss goes on waiting. `last`
        says that the revision is at its end. Raises `RevisionFailed` where clients would miss something.
        """
        held = bool(self.locked_large)
        large = self._large or held
        stay = [] if last else self._stay(sql)
        waiting = [each for each in self.cut_over.take() if each not in stay]
        self.cut_over.waiting, self._large = stay, large and bool(stay)
        if not waiting and held and not last and may_commit and self._guard.may_commit:
            self.commit()
        elif waiting and not may_commit:
            with self._ours():
                self._at_once(waiting, commits=False)
        elif waiting and all(each.index for each in waiting):
            self._drop_indexes(waiting)
        elif waiting:
            with self._ours():
                # What the revision has set, or done by a function, is not to be committed without what waits.
                alone = self._guard.may_commit or self.outside
                again = self._entry.has_begun and alone
                parts = list(one_by_one(waiting)) if again else [waiting]
                # One lock alone is waited for with nothing committed: what fails has changed nothing then.
                several = len(parts) > 1 or self._guard.holds_locks
                # What comes next leaves the transaction, and commits these anyhow: beside their locks it would look.
                commits = (large or must_leave(sql) or (again and several)) and alone
                if (commits or self.outside) and not last:
                    self._refuse_gaps(waiting, sql)
                elif not last and self._gaps is not None:
                    self._gaps.note(waiting)
                    self._uncommitted += waiting
                for part in parts:
                    self._at_once(part, commits=commits)

    def finish(self) -> None:
        """What comes after the cut-over, when that has been carried out."""
        after, self.cut_over.after = self.cut_over.after, []
        for (operation, line), group in groupby(after, key=lambda each: (each[0], each[2])):
            with self.of_line(line), self._guard.journal.again(operation), self._ours():
                self._steps((step for _, step, _ in group), line)
        self._end_operations()

    def commit(self) -> None:
        """Let go of all locks."""
        self._refuse_gaps([])
        self._uncommitted.clear()
        self._locked_large.clear()
        with self._ours(), nullcontext() if self.outside else self._context.autocommit_block():
            pass

    def _stay(self, sql: str) -> list[Waiting]:
        return may_stay(self.cut_over.waiting, sql, self.cut_over, self._database) if self.keeps_waiting() else []

    def _refuse_gaps(self, waiting: list[Waiting], sql: str = "") -> None:
        if self._gaps is not None and (self._uncommitted or waiting):
            self._gaps.refuse([*self._uncommitted, *waiting], sql)

    @contextmanager
    def _ours(self) -> Iterator[None]:
        before, self.busy = self.busy, True
        try:
            yield
        finally:
            self.busy = before

    @contextmanager
    def of_line(self, line: FrameSummary | None) -> Iterator[None]:
        """What runs in the block was asked for by this line of the revision."""
        activity = self._guard.activity
        before, activity.written_at = activity.written_at, line
        try:
            yield
        except Exception as error:
            note_line(error, line)
            raise
        finally:
            activity.written_at = before

    def _waiting(self, step: Step, line: FrameSummary | None) -> Waiting:
        run = partial(self._send, verbatim(step.sql))
        operation = self._guard.journal.at_hand
        return Waiting.of(step.sql, run, operation=operation, step=step, swaps=step.swaps, line=line)

    def _drop_indexes(self, waiting: Iterable[Waiting]) -> None:
        """They hold up nobody, and need no transaction."""
        for each in waiting:
            assert each.index is not None
            self.steps(each.index.steps, each.index.index, each.line)

    def _at_once(self, waiting: list[Waiting], *, commits: bool) -> None:
        commits = commits and not self.outside
        if commits:
            self.commit()
        for each in waiting:
            if each.step is not None and each.step.says:
                log.info("%s", each.step.says)
        planned = [Planned(each.sql, each.operation, each.step, bool(each.bounded)) for each in waiting]
        first = next((each.line for each in waiting if each.line), None)  # for what fails before any of them runs
        try:
            with self.of_line(first), together(self._guard, self.connection, planned, commits=commits) as left:
                for place in sorted(left):
                    with self.of_line(waiting[place].line):
                        waiting[place].run()
                if commits:
                    self.commit()
        except DBAPIError as error:
            slow = {each.bounded for each in waiting if each.bounded}
            if state.sqlstate(error) != state.QUERY_CANCELED or not slow:
                raise
            self.too_slow |= slow
            raise MustRetry from error

    def _one(self, step: Step | Task) -> None:
        if isinstance(step, Task):
            self._do(step)
        else:
            self._take(step)

    def _take(self, step: Step) -> None:
        if step.says:
            log.info("%s", step.says)
        leave = step.outside and not self.outside
        with self._context.autocommit_block() if leave else nullcontext():
            self._guard.step = step
            try:
                self._send(verbatim(step.sql))
            finally:
                self._guard.step = None
        if not step.outside and not step.with_next:
            self.commit()

    def _do(self, task: Task) -> None:
        self._guard.journal.once(task.words, lambda: task.run(self._context))
        self.commit()

    @property
    def _entry(self) -> Entry:
        assert self._guard.entry is not None, "nothing waits but for a revision"
        return self._guard.entry

    @property
    def connection(self) -> Connection:
        """That of the run."""
        assert self._context.connection is not None
        return self._context.connection
