"""Steps and the cut-over of one run, carried out: each step in a transaction of its own, the cut-over in one."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from itertools import chain, groupby
from traceback import FrameSummary

from sqlalchemy.exc import DBAPIError

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
from alembic_online.runner.attempt import Attempt
from alembic_online.runner.bound_types import JoiningByBind
from alembic_online.runner.lock_wait import MustRetry
from alembic_online.runner.pipelined_statements import Planned, together
from alembic_online.runner.transactions import Transactions
from alembic_online.runner.uncommitted import Uncommitted

log = logging.getLogger("alembic.runtime.migration")


class Running:
    """What is done, and what waits for the cut-over."""

    def __init__(self, attempt: Attempt, transactions: Transactions, database: Database) -> None:
        self._attempt, self._transactions, self._database = attempt, transactions, database
        self.cut_over = database.cut_over
        self._by_bind = JoiningByBind(attempt, self.cut_over)
        self.too_slow: set[str] = set()
        """Operations that were tried directly, and took too long."""
        self._large = False
        self._locked_large: set[str] = set()
        """The large tables, plain, on which a savepoint has left a strong lock, if it was not gone back to."""
        self._uncommitted = Uncommitted()
        self._under_way: list[str] = []
        """Operations that have begun."""

    @contextmanager
    def revision(self, gaps: Gaps) -> Iterator[None]:
        """A try of one, until the end of the block."""
        self.cut_over.forget()
        self._large = False
        self._locked_large.clear()
        self._uncommitted.begin(gaps)
        self._under_way = []
        with self._by_bind.revision(gaps):
            yield

    def wait(self, waiting: Waiting, *, large: bool) -> None:
        """It is done in the cut-over. Locks on a `large` table are let go of as soon as it is."""
        if self._attempt.at_hand.direction == "downgrade" and self.cut_over.hides_loss(waiting.sql):
            self.carry_out()
        if (made := self.cut_over.stand_in_for(waiting.sql)) is not None:
            waiting = replace(waiting, stand_in=made, instead=self.sending(made.rename))
        self.cut_over.add(waiting)
        self._large |= large

    def note_done(self, waiting: Waiting, large: Iterable[str]) -> None:
        """It is about to run in a savepoint, and does not wait; it locks these `large` tables."""
        self._uncommitted.note([waiting])
        self._locked_large |= {last_part(plain(table)) for table in large}

    @property
    def locked_large(self) -> set[str]:
        """The large tables, plain, on which a savepoint has left a strong lock."""
        return self._locked_large if self._attempt.locks.holds else set()

    def steps(self, steps: Steps, words: str, line: FrameSummary | None = None) -> None:
        """Carry out an operation, known by its words, of this line of the revision.

        What may join the cut-over does, if there is one.
        """
        with self._attempt.journal.operation(words), self._attempt.steps():
            self._steps(steps, line)
            self._under_way.append(self._attempt.journal.at_hand)
        self._end_operations()

    def _end_operations(self) -> None:
        """Note what is done of the operations that were begun; of some a part waits for the cut-over."""
        waits = {each.operation for each in self.cut_over.waiting} | {each for each, *_ in self.cut_over.after}
        done = [each for each in self._under_way if each not in waits]
        self._under_way = [each for each in self._under_way if each in waits]
        to_keep = [each for each in done if self._attempt.journal.end(each)]
        if to_keep:
            self._attempt.run.history.write_journal_now(self._attempt.at_hand)

    def _steps(self, steps: Steps, line: FrameSummary | None) -> None:
        first = next(steps, None)  # what has no way at all is refused before anything is committed
        self.commit()
        joined = False
        group: list[Step] = []  # committed together
        for step in chain((first,) if first else (), steps):
            if isinstance(step, Step) and step.joins and (self.cut_over or (step.begins and self._attempt.may_wait)):
                self.cut_over.add(self._waiting(step, line))
                joined = self._large = True
            elif joined:
                self.cut_over.after.append((self._attempt.journal.at_hand, step, line))
            elif isinstance(step, Task) or step.outside or self._attempt.is_outside:
                self._one(step)
            else:
                group.append(step)
                if not step.with_next:
                    self._at_once([self._waiting(each, line) for each in group], commits=True)
                    group.clear()

    def keeps_waiting(self) -> bool:
        """Whether what waits is to be seen only together with what is still to come."""
        return self._uncommitted.would_miss(self.cut_over.waiting)

    @property
    def would_leave_gap(self) -> bool:
        """Whether clients would miss something if what the revision has done were committed now."""
        return self._uncommitted.would_leave_gap

    def comes_back(self, waiting: Sequence[Waiting]) -> bool:
        """Whether something that these give up is made again below."""
        return self._uncommitted.would_miss(waiting)

    def would_be_missed(self, sql: str) -> bool:
        """Whether clients would miss something if what `sql` needs were carried out now."""
        stay = self._stay(sql)
        return self._uncommitted.would_miss(each for each in self.cut_over.waiting if each not in stay)

    def commits(self) -> None:
        """The revision commits by itself: what waits goes with that, unless clients would miss it."""
        if self.keeps_waiting():
            self.cut_over.keep()
        else:
            self.carry_out(may_commit=False)
        self._uncommitted.forget()

    def rolls_back(self) -> None:
        """The revision rolls back by itself."""
        self.cut_over.forget()
        self._uncommitted.forget()
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
        if not waiting and held and not last and may_commit and self._attempt.may_commit:
            self.commit()
        elif waiting and not may_commit:
            with self._attempt.steps():
                self._at_once(waiting, commits=False)
        elif waiting and all(each.index for each in waiting):
            self._drop_indexes(waiting)
        elif waiting:
            with self._attempt.steps():
                # What the revision has set, or done by a function, is not to be committed without what waits.
                alone = self._attempt.may_commit or self._attempt.is_outside
                again = self._attempt.at_hand.has_begun and alone
                if again and self._attempt.locks.has_rows and not self.would_leave_gap:
                    self.commit()  # who waits for one of these rows has kept the locks from it before
                parts = list(one_by_one(waiting)) if again else [waiting]
                # One lock alone is waited for with nothing committed: what fails has changed nothing then.
                several = len(parts) > 1 or self._attempt.locks.holds
                # What comes next leaves the transaction, and commits these anyhow: beside their locks it would look.
                commits = (large or must_leave(sql) or (again and several and not self.would_leave_gap)) and alone
                if (commits or self._attempt.is_outside) and not last:
                    self._uncommitted.refuse(waiting, sql)
                elif not last:
                    self._uncommitted.note(waiting)
                for part in parts:
                    self._at_once(part, commits=commits)

    def finish(self) -> None:
        """What comes after the cut-over, when that has been carried out."""
        after, self.cut_over.after = self.cut_over.after, []
        for (operation, line), group in groupby(after, key=lambda each: (each[0], each[2])):
            with self.of_line(line), self._attempt.journal.again(operation), self._attempt.steps():
                self._steps((step for _, step, _ in group), line)
        self._end_operations()

    def commit(self) -> None:
        """Let go of all locks."""
        self._uncommitted.refuse()
        self._uncommitted.forget()
        self._locked_large.clear()
        if not self._attempt.is_outside:
            with self._attempt.steps():
                self._transactions.commit()

    def _stay(self, sql: str) -> list[Waiting]:
        return may_stay(self.cut_over.waiting, sql, self.cut_over, self._database) if self.keeps_waiting() else []

    @contextmanager
    def of_line(self, line: FrameSummary | None) -> Iterator[None]:
        """What runs in the block was asked for by this line of the revision."""
        with self._attempt.run.activity.written(line):
            try:
                yield
            except Exception as error:
                note_line(error, line)
                raise

    def sending(self, sql: str) -> Callable[[], None]:
        """Sends what is written out here."""
        return partial(self._transactions.send, verbatim(sql), self._attempt.run.context.send)

    def _waiting(self, step: Step, line: FrameSummary | None) -> Waiting:
        operation = self._attempt.journal.at_hand
        return Waiting.of(step.sql, self.sending(step.sql), operation=operation, step=step, swaps=step.swaps, line=line)

    def _drop_indexes(self, waiting: Iterable[Waiting]) -> None:
        """They hold up nobody, and need no transaction."""
        for each in waiting:
            assert each.index is not None
            self.steps(each.index.steps, each.index.index, each.line)

    def _at_once(self, waiting: list[Waiting], *, commits: bool) -> None:
        commits = commits and not self._attempt.is_outside
        if commits:
            self.commit()
        for each in waiting:
            if each.step is not None and each.step.says:
                log.info("%s", each.step.says)
        planned = [Planned(each.sql, each.operation, each.step, bool(each.bounded)) for each in waiting]
        first = next((each.line for each in waiting if each.line), None)  # for what fails before any of them runs
        try:
            with self.of_line(first), together(self._attempt, planned, commits=commits) as left:
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
        leave = step.outside and not self._attempt.is_outside
        with self._transactions.outside() if leave else nullcontext(), self._attempt.carrying_out(step):
            self.sending(step.sql)()
        if not step.outside and not step.with_next:
            self.commit()

    def _do(self, task: Task) -> None:
        self._attempt.journal.once(task.words, lambda: task.run(self._attempt.run.context))
        self.commit()
