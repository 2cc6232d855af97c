"""When a statement of a revision runs: at once, in the cut-over with what it belongs to, or before what waits there."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from traceback import FrameSummary
from typing import Any

from alembic.script import Script

from alembic_online.postgres.locks import is_patient, needs_autocommit, strong_locks
from alembic_online.recipes.bypass import is_large
from alembic_online.recipes.catalogue_precheck import finds_name_taken, is_in_vain, must_leave
from alembic_online.recipes.cutover.availability_gaps import Gaps
from alembic_online.recipes.cutover.block_statements import with_block_statements
from alembic_online.recipes.cutover.long_read import helper_indexes, may_come_afterwards
from alembic_online.recipes.cutover.pending_statements import Waiting
from alembic_online.recipes.cutover.reorder import is_independent
from alembic_online.recipes.cutover.statement_forms import altered_column, locks_tables, sets_not_null
from alembic_online.recipes.database import Database
from alembic_online.recipes.given_up import all_given_up
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import GivenUp, besides_dropped, is_definition
from alembic_online.recipes.step import OnlineChange
from alembic_online.revisions.source_line import line_in
from alembic_online.runner.attempt import Attempt
from alembic_online.runner.execution import Running
from alembic_online.runner.refusals import Refusals
from alembic_online.runner.statement import Statement, end_of_transaction

Directly = Callable[[], Any]
"""Sends a statement as it stands."""


class Timing:
    """Of the statements of one run."""

    def __init__(self, attempt: Attempt, database: Database, running: Running) -> None:
        self._attempt, self._database, self._running = attempt, database, running
        self._cut_over = database.cut_over
        self.refusals = Refusals(attempt)
        self._script: Script | None = None
        self._gaps: Gaps | None = None
        self._is_taken = False
        """Whether the revision has the driver's connection, and may send what nobody sees."""

    @contextmanager
    def revision(self, script: Script) -> Iterator[None]:
        """A try of this one, until the end of the block."""
        gaps = Gaps(script, self._attempt.below, self._database, self._attempt.journal.is_noted)
        self._script, self._gaps, self._is_taken = script, gaps, False
        self.refusals.forget()
        try:
            with self._running.revision(gaps):
                yield
        finally:
            self._script = self._gaps = None

    @property
    def is_revisions_line(self) -> bool:
        """Whether what is to be done now is what a line of a revision asks for."""
        return self._script is not None and not self._attempt.in_steps

    @property
    def script(self) -> Script:
        """The revision at hand."""
        assert self._script is not None, "only a revision has operations"
        return self._script

    @property
    def line(self) -> FrameSummary | None:
        """The one of the revision that runs."""
        return line_in(str(Path(self.script.path).parent))

    def as_it_stands(self, sql: str, directly: Directly, bounded: str = "") -> Any:
        """At once, or in the cut-over: what comes after that began waits for it."""
        end = end_of_transaction(sql)
        if end == "ROLLBACK" or (end == "COMMIT" and self._running.keeps_waiting()):
            return directly()  # what waits is undone with it, or goes on waiting
        if not (is_definition(sql) or locks_tables(sql)) or is_patient(sql) or not self._attempt.may_wait:
            return self._at_once(sql, directly)
        locked, gone = self._attempt.locks.locked_by(sql), all_given_up(sql, self._database)
        # An index that is there locks its table. One that is not does not wait: it would drop the next of its name.
        missed = any(each.kind != "index" for each in gone) or self._waits_for_name(sql)
        if not locked and not missed and (self._cut_over.lets_pass(sql) or self.overtakes(sql)):
            return directly()
        replaced = any(map(self._cut_over.puts_in_place, gone)) and not self._running.would_be_missed(sql)
        if replaced or self._cut_over.is_named_afterwards(sql, gone):
            self.carry_out_now(sql)
        waiting = Waiting.of(sql, directly, bounded=bounded, line=self.line, gives_up=gone)
        self._running.wait(waiting, large=bool(self.large_of(sql, locked)))
        return None

    def _waits_for_name(self, sql: str) -> bool:
        """Whether it needs a name that is free only when what waits has been done."""
        return bool(self._cut_over) and finds_name_taken(sql, self._database)

    def _at_once(self, sql: str, directly: Directly) -> Any:
        """Before what waits, or after that is done."""
        self.refusals.refuse_rows(sql, self._running.locked_large)
        if self.says_number(sql, directly):
            return None
        if self._waits_for_name(sql):
            self.carry_out_now()
        elif self.overtakes(sql):
            return directly()
        if not self._is_in_vain(sql):
            self.carry_out_now(sql)
        elif not needs_autocommit(sql):
            self._running.carry_out(may_commit=False)
        told, undoable = with_block_statements(sql), self._attempt.locks.may_be_undone
        if (is_definition(sql) and undoable) or told != sql:
            done = Waiting.of(told, directly, line=self.line, undoable=undoable)
            self._running.note_done(done, self.large_of(sql, self._attempt.locks.locked_by(told)))
        return directly()

    def says_number(self, sql: str, directly: Directly) -> bool:
        """Whether it says where a sequence goes on that a column gets in the cut-over: then it waits too."""
        gone = self._cut_over.numbers_set(sql) if self._attempt.may_wait else None
        if gone is None or may_come_afterwards(sql, self._database):
            return False
        helpers = list(helper_indexes(sql, self._database))
        for each in helpers:
            self._database.look_again()
            self._running.steps(each.create.steps, each.create.index, self.line)
        self._running.wait(Waiting.of(sql, directly, line=self.line, gives_up=gone), large=False)
        for each in helpers:
            self._running.wait(Waiting.of(each.drop, self._running.sending(each.drop), line=self.line), large=True)
        return True

    def waits_for_default(self, sql: str) -> bool:
        """Whether it makes a column NOT NULL that gets its default only below: clients may not know the column."""
        gaps, column, waiting = self._gaps, altered_column(sql), self._cut_over.waiting
        if gaps is None or not self._attempt.may_wait or not sets_not_null(sql):
            return False
        return any(gaps.default_follows(lock.name, column, waiting) for lock in strong_locks(sql))

    def numbers_meanwhile(self, sql: str, change: OnlineChange) -> OnlineChange:
        """NOT NULL in steps; with numbers for the column, where it becomes an identity only below."""
        gaps, column = self._gaps, altered_column(sql)
        if gaps is None or not sets_not_null(sql):
            return change
        words = f"identity of {change.table}.{column}"
        identity = self._database.recall(words, lambda: gaps.identity_follows(change.table, column))
        if not identity:
            return change
        from alembic_online.recipes.identity_column import numbered_meanwhile  # noqa: PLC0415  few revisions have one

        is_new = gaps.adds_above(GivenUp("column", plain(change.table), plain(column)))
        return numbered_meanwhile(change, column, identity, self._database, is_new=is_new)

    def takes_over_numbers(self, sql: str) -> OnlineChange | None:
        """The way of a column that is numbered meanwhile to its identity."""
        if self._gaps is None or "IDENTITY" not in sql.upper():
            return None
        from alembic_online.recipes.identity_column import takes_over  # noqa: PLC0415  as above

        return takes_over(sql, self._database, self._gaps.says_number_below)

    def computed_below(self, column: GivenUp) -> bool:
        """Whether a line below makes the column again as a stored generated one."""
        return self._gaps is not None and self._gaps.computed_below(column)

    def adds_above(self, column: GivenUp) -> bool:
        """Whether a line above adds the column to its table."""
        return self._gaps is not None and self._gaps.adds_above(column)

    def _is_in_vain(self, sql: str) -> bool:
        """Whether nothing needs to be committed for it: it can only fail, or has nothing to do."""
        waits = self._cut_over
        return bool(waits) and must_leave(sql) and not waits.is_needed_for(sql) and is_in_vain(sql, self._database)

    def large_of(self, sql: str, locked: set[str]) -> list[str]:
        """Those of the tables that `sql` locks that are large, and that it leaves there."""
        return [table for table in besides_dropped(sql, locked) if is_large(table, self.script, self._database)]

    def overtakes(self, sql: str, values: Sequence[str] = ()) -> bool:
        """Whether it is done before what waits, because clients would miss that."""
        # Who casts to a type whose name has changed hands means the old one: that is missed as well.
        missed = not self._attempt.in_steps and (self._cut_over.gaps() or self._cut_over.stand_ins())
        return bool(missed) and is_independent(sql, values, self._cut_over, self._database)

    def carry_out_now(self, sql: str = "", *, last: bool = False) -> None:
        """All that waits, or all that `sql` needs of it, and what comes after it."""
        if not self._attempt.in_steps:
            self._running.carry_out(sql, last=last)
            self._running.finish()
            if not self._cut_over:
                self._make_postponed()
            if last and self._cut_over:  # what was postponed has joined it
                self._running.carry_out(last=True)
                self._running.finish()

    def _make_postponed(self) -> None:
        postponed, self._cut_over.postponed = self._cut_over.postponed, []
        for each in postponed:
            with self._running.of_line(each.line):
                each.run()

    def used(self, statement: Statement) -> None:
        """The revision is about to use the connection itself, and finds what it has done."""
        self.refusals.refuse_rows(statement.sql, self._running.locked_large)
        if not self.is_revisions_line or self.overtakes(statement.sql, statement.texts):
            return
        if self._cut_over.postponed:
            self.carry_out_now(statement.sql)
        else:
            self._running.carry_out(statement.sql)

    def taken(self) -> None:
        """The revision takes the driver's connection, and finds what it has done."""
        if self.is_revisions_line:
            self._is_taken = True
            self.show()

    def show(self) -> None:
        """Carry out what waits, if the driver's connection was taken; not what clients would miss."""
        if self._is_taken and self.is_revisions_line and not self._running.keeps_waiting():
            self.carry_out_now()

    def commits(self) -> None:
        """The revision is about to commit by itself."""
        if self.is_revisions_line:
            self._running.commits()

    def rolls_back(self) -> None:
        """It is about to roll back by itself."""
        self._running.rolls_back()
