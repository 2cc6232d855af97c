"""The place where the stock operations are taken over, for one run: each is carried out by its online way, or directly.

It is asked by the run's supervisor (`alembic_seam`), so nothing is registered with Alembic. For each DDL of a revision:

1. `registry` says whether it has an online way. What has none, and needs none, takes but an instant: where it stops
   clients it waits for the cut-over (`recipes.cutover`), else it runs as it stands.
2. A table that is new in this revision, or small, or named in the revision's `direct`, is changed directly: with the
   stock statement, which is ended when it takes longer than a lock may be held, and then done the online way.
3. Otherwise the transaction is committed, and the steps are run, each in a transaction of its own; they overtake what
   waits, unless they need something that is only made by it.

Which of the two ways was taken is in the journal: a revision goes on as it began, whatever the table has become.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from traceback import FrameSummary
from typing import Any

from alembic.script import Script
from sqlalchemy import TextClause, text
from sqlalchemy.schema import CreateIndex, DDLElement, DropIndex
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ClauseElement

from alembic_online.alembic_seam import SupervisedContext
from alembic_online.errors import RevisionFailed
from alembic_online.policy import Policy
from alembic_online.postgres.locks import is_patient, needs_autocommit
from alembic_online.postgres.locks.reader import first_word
from alembic_online.recipes.bypass import is_large, is_small, new_names, reason_to_be_direct
from alembic_online.recipes.catalogue_precheck import is_in_vain, must_leave, unmet_need
from alembic_online.recipes.cutover.availability_gaps import Gaps
from alembic_online.recipes.cutover.block_statements import with_block_statements
from alembic_online.recipes.cutover.long_read import refuse_long_read
from alembic_online.recipes.cutover.pending_statements import Postponed, Waiting
from alembic_online.recipes.cutover.recreated_columns import recreated
from alembic_online.recipes.cutover.reorder import is_independent
from alembic_online.recipes.cutover.statement_forms import locks_tables, makes_index, names_of
from alembic_online.recipes.database import Database
from alembic_online.recipes.given_up import all_given_up, unique_index_as_key
from alembic_online.recipes.index_in_place import in_place
from alembic_online.recipes.names import plain, sql_of, verbatim, written_out
from alembic_online.recipes.object_effects import besides_dropped, given_up, is_definition, made
from alembic_online.recipes.offline_script import write
from alembic_online.recipes.registry import may_be_online, online_change
from alembic_online.recipes.step import OnlineChange, Steps
from alembic_online.revisions.source_line import line_in
from alembic_online.runner.catalogue_queries import Questions
from alembic_online.runner.execution import Running
from alembic_online.runner.explicit_commits import end_of_transaction
from alembic_online.runner.rows_ahead import look_ahead
from alembic_online.runner.statement_guard import StatementGuard
from alembic_online.runtime.rehearsal import Rehearsal

log = logging.getLogger("alembic.runtime.migration")


class OnlineOperations:
    """Carries out the operations of one run; without a guard it writes them into a script."""

    def __init__(
        self,
        context: SupervisedContext,
        policy: Policy,
        guard: StatementGuard | None = None,
        rehearsal: Rehearsal | None = None,
        send: Callable[[Executable | str], Any] | None = None,
    ) -> None:
        """`send` sends the steps; without it they are sent as Alembic would."""
        self._context, self._policy, self._guard = context, policy, guard
        self._send = send or context.send
        questions = Questions(context, guard) if guard else None
        asking = (questions.connection, questions.question, questions.scratch, questions.recall) if questions else ()
        self.database = Database(policy, *asking)
        if rehearsal is not None:
            self.database.believe = rehearsal.facts
        self._is_rehearsal = rehearsal is not None
        self._script: Script | None = None
        self._outside = False
        self._refused: RevisionFailed | None = None
        self._new: set[str] = set()
        if guard is not None:
            self._running = Running(context, guard, self.database, self._send)
            guard.used = self._used
            guard.commits = self._commits
            guard.rolls_back = self._running.rolls_back

    @contextmanager
    def revision(self, script: Script) -> Iterator[None]:
        """Carry out the operations of one try of this revision until the end of the block."""
        self._script, self._refused = script, None
        self._new.clear()
        try:
            with self._running.revision(self._gaps(script)) if self._guard is not None else nullcontext():
                self._look_ahead(script)
                yield
                self._refuse_again()
                self._carry_out_now(last=True)
        finally:
            self._script = None

    def _look_ahead(self, script: Script) -> None:
        """Before a revision begins, and not when it goes on, nor where there are no rows."""
        entry = self._guard.entry if self._guard is not None else None
        if self._guard is not None and entry is not None and not entry.has_begun and not self._is_rehearsal:
            connection = self._running.connection
            with self._guard.question(connection):
                look_ahead(connection, script, entry.direction, self.database)

    @contextmanager
    def autocommit_block(self, leave: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
        """A block of the revision's own, before which it has done what stands above it; `leave` is how it is left.

        Within one, what an operation does outside of the transaction needs no other, and Alembic knows none.
        """
        if self._outside:
            yield
            return
        if self._guard is not None and self._script is not None and not self._running.busy:
            if not self._running.keeps_waiting():
                self._carry_out_now()
            with self._guard.ours():  # with plain Alembic it ends here
                self._guard.settings.give_back(self._running.connection)
        with leave():
            self._set_outside(True)
            try:
                yield
            finally:
                self._set_outside(False)

    def _set_outside(self, outside: bool) -> None:
        self._outside = outside
        if self._guard is not None:
            self._running.outside = outside

    def execute(self, construct: Executable | str, directly: Callable[[], Any]) -> Any:
        """Carry out what the revision asks for; `directly` sends it as it stands."""
        self._refuse_again()
        self.database.look_again()
        if self._script is None or (self._guard is not None and self._running.busy):
            return directly()
        statement = text(construct) if isinstance(construct, str) else construct
        if not isinstance(statement, DDLElement | TextClause):
            if self._guard is not None and self._says_number(written_out(statement), directly):
                return None
            if not self._overtakes(sql := self._compiled(statement)):
                self._carry_out_now(sql)
            return directly()
        sql = sql_of(statement)
        replaces = isinstance(statement, CreateIndex) and self.database.cut_over.take_index_like(sql)
        if self._guard is not None and self.database.cut_over.names_postponed(sql):
            self._carry_out_now(sql)
        again = partial(self.execute, construct, directly)
        if self._guard is not None and self._becomes_one(statement, sql, again):
            return None
        if self._guard is not None and may_be_online(statement) and not self._make_room(sql, statement):
            self.database.cut_over.postponed.append(Postponed(next(made(sql)), again, self._line))
            return None
        change = online_change(statement, self.database)
        if change is not None and replaces:
            return self._carry_out(change.replacing, change.index)
        self._new.update(map(plain, new_names(statement)))
        if change is None or plain(change.table) in self._new:
            return self._as_it_stands(sql, directly)
        return self._change(statement, sql, change, directly)

    def _becomes_one(self, statement: Executable, sql: str, again: Callable[[], Any]) -> bool:
        """Whether it is part of one statement with lines above and below (`recreated_columns`): kept, or done."""
        guard, cut_over = self._guard, self.database.cut_over
        if guard is None or not guard.may_wait or not cut_over or (found := recreated(sql, self.database)) is None:
            return False
        change = online_change(statement, self.database)
        if not (found.kept or self._large_of(sql, {found.table}) or (change is not None and change.always)):
            return False
        if self._running.comes_back(found.missing):
            cut_over.postponed.append(Postponed("", again, self._line, sql))
            return True
        if found.last.kind != "add":
            return False
        if guard.holds_locks and guard.may_commit:
            self._running.commit()
        if (one := found.change(self.database)) is None:
            return False
        words, change, absorbed = one
        kept = [each for _, each in found.kept]
        cut_over.waiting = [each for each in cut_over.waiting if each not in absorbed]
        cut_over.postponed = [each for each in cut_over.postponed if each not in kept]
        self._carry_out(change.steps, words)
        return True

    def _make_room(self, sql: str, statement: Executable) -> bool:
        """Nothing is planned beside a strong lock, nor before what it needs is there.

        False for an index for which clients would have to miss something: it can be made later.
        """
        assert self._guard is not None
        if self._guard.holds_locks and self._guard.may_commit:
            self._running.commit()
        if self._running.cut_over.gives_up_name(sql, "column") and online_change(statement, self.database) is None:
            return True  # a column in the place of another one: both in the same instant
        if in_place(sql, self.database) is not None:
            return True  # it is built beside what it takes the name of
        if self._running.cut_over.is_in_the_way(sql):
            if makes_index(sql) and self._running.would_be_missed(sql):
                return False
            self._carry_out_now(sql)
        return True

    def _as_it_stands(self, sql: str, directly: Callable[[], Any], bounded: str = "") -> Any:
        """At once, or in the cut-over: what comes after that began waits for it."""
        if self._guard is None:
            return directly()
        end = end_of_transaction(sql)
        if end == "ROLLBACK" or (end == "COMMIT" and self._is_kept()):
            return directly()  # what waits is undone with it, or goes on waiting
        if not (is_definition(sql) or locks_tables(sql)) or is_patient(sql) or not self._guard.may_wait:
            self._refuse_rows(sql)
            if self._says_number(sql, directly):
                return None
            if self._overtakes(sql):
                return directly()
            if not self._is_in_vain(sql):
                self._carry_out_now(sql)
            elif not needs_autocommit(sql):
                self._running.carry_out(may_commit=False)
            told = with_block_statements(sql)
            if (is_definition(sql) and self._guard.in_savepoint) or told != sql:
                done = Waiting.of(told, directly, line=self._line, undoable=self._guard.in_savepoint)
                self._running.note_done(done, self._large_of(sql, self._guard.locked_by(told)))
            return directly()
        locked, gone = self._guard.locked_by(sql), all_given_up(sql, self.database)
        # An index that is there locks its table. One that is not does not wait: it would drop the next of its name.
        missed = any(each.kind != "index" for each in gone)
        if not locked and not missed and (self._running.cut_over.lets_pass(sql) or self._overtakes(sql)):
            return directly()
        waiting = Waiting.of(sql, directly, bounded=bounded, line=self._line, gives_up=gone)
        self._running.wait(waiting, large=bool(self._large_of(sql, locked)))
        return None

    def _large_of(self, sql: str, locked: set[str]) -> list[str]:
        """Those of the tables it locks that are large, and that it leaves there."""
        script = self._script
        assert script is not None
        return [table for table in besides_dropped(sql, locked) if is_large(table, script, self.database)]

    def _says_number(self, sql: str, directly: Callable[[], Any]) -> bool:
        """Whether it says where a sequence goes on that a column gets in the cut-over: then it waits too."""
        assert self._guard is not None
        gone = self._running.cut_over.numbers_set(sql) if self._guard.may_wait else None
        if gone is None:
            return False
        refuse_long_read(sql, self.database)
        self._running.wait(Waiting.of(sql, directly, line=self._line, gives_up=gone), large=False)
        return True

    def _is_in_vain(self, sql: str) -> bool:
        """Whether nothing needs to be committed for it: it can only fail, or has nothing to do."""
        waits = self._running.cut_over
        return bool(waits) and must_leave(sql) and not waits.is_needed_for(sql) and is_in_vain(sql, self.database)

    @property
    def _line(self) -> FrameSummary | None:
        assert self._script is not None
        return line_in(str(Path(self._script.path).parent))

    def _carry_out_now(self, sql: str = "", *, last: bool = False) -> None:
        """All that waits, or all that `sql` needs of it, and what comes after it."""
        if self._guard is not None and not self._running.busy:
            self._running.carry_out(sql, last=last)
            self._running.finish()
            if not self.database.cut_over:
                self._make_postponed()

    def _make_postponed(self) -> None:
        postponed, self.database.cut_over.postponed = self.database.cut_over.postponed, []
        for each in postponed:
            with self._running.of_line(each.line):
                each.run()

    def _used(self, statement: str, values: Sequence[str]) -> None:
        """The revision is about to use the connection itself, and finds what it has done."""
        self._refuse_rows(statement)
        if self._script is None or self._running.busy or self._overtakes(statement, values):
            return
        if self.database.cut_over.postponed:
            self._carry_out_now(statement)
        else:
            self._running.carry_out(statement)

    def _commits(self) -> None:
        """The revision is about to commit by itself."""
        if self._script is not None and not self._running.busy:
            self._running.commits()

    def _overtakes(self, sql: str, values: Sequence[str] = ()) -> bool:
        """Whether it is done before what waits, because clients would miss that."""
        waits = self.database.cut_over
        if self._guard is None or self._running.busy:
            return False
        # Who casts to a type whose name has changed hands means the old one: that is missed as well.
        return bool(waits.gaps() or waits.stand_ins()) and is_independent(sql, values, waits, self.database)

    def _is_kept(self) -> bool:
        return self._guard is not None and not self._running.busy and self._running.keeps_waiting()

    def _compiled(self, statement: Executable) -> str:
        assert isinstance(statement, ClauseElement)
        return str(statement.compile(dialect=self._context.dialect)) if self.database.cut_over else ""

    def _gaps(self, script: Script) -> Gaps:
        assert self._guard is not None
        entry = self._guard.entry
        assert entry is not None, "only a revision is carried out"
        return Gaps(script, entry.direction, self.database, self._guard.journal.is_noted)

    def _change(self, statement: Executable, sql: str, change: OnlineChange, directly: Callable[[], Any]) -> Any:
        assert self._script is not None
        words = f"way of {sql}"
        if reason := reason_to_be_direct(self._script, change.table):
            log.info("%s is changed directly: %s", change.table, reason)
            self._carry_out_now()
            return directly()
        if words not in self._too_slow and unmet_need(sql, self.database):
            return self._as_it_stands(sql, directly, bounded=words)
        if self._is_direct(words, change):
            return directly() if is_patient(sql) else self._as_it_stands(sql, directly, bounded=words)
        if isinstance(statement, DropIndex) and change.index and self._guard is not None:
            in_transaction = sql.replace("CONCURRENTLY ", "", 1)
            drop = partial(self._send, verbatim(in_transaction))
            if self._guard.in_savepoint:
                return self._as_it_stands(in_transaction, drop)
            gone = (*given_up(in_transaction), *unique_index_as_key(change.index, change.table, self.database))
            options = {"index": change, "line": self._line, "gives_up": gone}
            self._running.wait(Waiting.of(in_transaction, drop, **options), large=True)
            return None
        self._refuse_savepoint(change.table, sql)
        if change.after_swap:
            self._carry_out_now(sql)
        return self._carry_out(change.steps, sql)

    def _refuse_again(self) -> None:
        """Where a savepoint is, errors are caught; but this was not done, and the revision must not go on without."""
        if self._refused is not None:
            raise self._refused

    def _refuse_savepoint(self, table: str, sql: str) -> None:
        """What is committed step by step cannot be undone to a savepoint."""
        guard = self._guard
        if guard is not None and (guard.in_savepoint or self._running.connection.in_nested_transaction()):
            self._refused = RevisionFailed(
                f"{table} is large, and is changed step by step, each committed; that cannot be in a savepoint"
                f" (begin_nested, SAVEPOINT): {' '.join(sql.split())[:100]}",
                f'Take the line out of the savepoint.\nOr let clients wait: direct = {{"{table}": "why nobody minds"}}',
            )
            raise self._refused

    def _refuse_rows(self, sql: str) -> None:
        """Of a large table that the savepoint at hand has locked, and that cannot be let go of before they change."""
        held = self._running.locked_large if self._guard is not None and self._guard.in_savepoint else set[str]()
        for table in sorted(held & names_of(sql) if held and first_word(sql) in ("UPDATE", "DELETE", "MERGE") else ()):
            self._refused = RevisionFailed(
                f"{table} is large, and locked since the savepoint has changed it; clients would wait while its rows"
                f" are changed: {' '.join(sql.split())[:100]}",
                "Take the line out of the savepoint (begin_nested, SAVEPOINT).\n"
                f'Or let clients wait: direct = {{"{table}": "why nobody minds"}}',
            )
            raise self._refused

    def _is_direct(self, words: str, change: OnlineChange) -> bool:
        return self.database.recall_whether(
            words, lambda: words not in self._too_slow and is_small(change, self.database)
        )

    @property
    def _too_slow(self) -> set[str]:
        return self._running.too_slow if self._guard is not None else set()

    def _carry_out(self, steps: Steps, words: str) -> None:
        self.database.look_again()
        if self._guard is None:
            write(self._context, steps, self._send, outside=self._outside)
        else:
            self._running.steps(steps, words, self._line)
