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
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from alembic.script import Script
from sqlalchemy import TextClause, text
from sqlalchemy.schema import CreateIndex, DDLElement, DropIndex
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ClauseElement

from alembic_online.alembic_seam import Send
from alembic_online.postgres.locks import is_patient
from alembic_online.postgres.locks.reader import first_word
from alembic_online.recipes.bypass import is_large, is_small, new_names, reason_to_be_direct
from alembic_online.recipes.catalogue_precheck import unmet_need
from alembic_online.recipes.cutover.actions_apart import actions_apart
from alembic_online.recipes.cutover.pending_statements import Postponed, Waiting
from alembic_online.recipes.cutover.recreated_columns import recreated
from alembic_online.recipes.cutover.statement_forms import altered_column, makes_index
from alembic_online.recipes.database import Database
from alembic_online.recipes.generated_names import frees_index_name
from alembic_online.recipes.given_up import unique_index_as_key
from alembic_online.recipes.names import plain, sql_of, update_written_out, written_out
from alembic_online.recipes.object_effects import given_up, made
from alembic_online.recipes.registry import may_be_online, online_change
from alembic_online.recipes.step import OnlineChange, Steps
from alembic_online.runner.attempt import Attempt
from alembic_online.runner.execution import Running
from alembic_online.runner.joined_types import JoinedTypes
from alembic_online.runner.rows_ahead import look_ahead
from alembic_online.runner.timing import Directly, Timing
from alembic_online.runner.transactions import Transactions

log = logging.getLogger("alembic.runtime.migration")


class OnlineOperations:
    """Carries out the operations of one run."""

    def __init__(
        self, attempt: Attempt, database: Database, transactions: Transactions, running: Running, timing: Timing
    ) -> None:
        self._attempt, self._database, self._transactions = attempt, database, transactions
        self._running, self._timing = running, timing
        self._new: set[str] = set()
        self._joined_types: JoinedTypes | None = None

    @contextmanager
    def revision(self, script: Script) -> Iterator[None]:
        """Carry out the operations of one try of this revision until the end of the block."""
        entry = self._attempt.at_hand
        self._new.clear()
        self._joined_types = JoinedTypes(script, entry.direction, self._database)
        with self._timing.revision(script):
            # Not when it goes on, nor where there are no rows.
            if not entry.has_begun and self._attempt.run.rehearsal is None:
                with self._attempt.question() as connection:
                    look_ahead(connection, script, entry.direction, self._database)
            yield
            self._timing.refusals.repeat()
            self._timing.carry_out_now(last=True)

    @contextmanager
    def autocommit_block(self) -> Iterator[None]:
        """A block of the revision's own, before which it has done what stands above it.

        Within one, what an operation does outside of the transaction needs no other, and Alembic knows none.
        """
        if self._attempt.is_outside:
            yield
            return
        if self._timing.is_revisions_line:
            if not self._running.keeps_waiting():
                self._timing.carry_out_now()
            with self._attempt.ours():  # with plain Alembic it ends here
                self._attempt.settings.give_back(self._attempt.connection)
        with self._transactions.outside():
            yield
            if self._timing.is_revisions_line and not self._running.keeps_waiting():
                self._timing.carry_out_now()  # indexes that go

    def execute(self, construct: Executable | str, send: Send) -> Any:
        """Carry out what the revision asks for; `send` sends it as it stands."""
        if self._attempt.is_alone:
            with self._attempt.command():
                return send(construct)
        directly = partial(self._transactions.send, construct, send)
        self._timing.refusals.repeat()
        self._database.look_again()
        if not self._timing.is_revisions_line:
            return directly()
        statement = text(construct) if isinstance(construct, str) else construct
        if not isinstance(statement, DDLElement | TextClause):
            if self._in_batches(statement):
                return None
            if self._timing.says_number(written_out(statement), directly):
                return None
            if not self._timing.overtakes(sql := self._compiled(statement)):
                self._timing.carry_out_now(sql)
            return directly()
        sql = sql_of(statement)
        replaces = isinstance(statement, CreateIndex) and self._database.cut_over.take_index_like(sql)
        if self._database.cut_over.needs_postponed(sql):
            self._timing.carry_out_now(sql)
        if isinstance(statement, TextClause) and self._in_batches(statement):
            return None
        if isinstance(statement, TextClause) and (parts := self._apart(statement, sql)):
            for part in parts:
                self.execute(part, send)
            return None
        if self._joins_types(sql):
            return None
        again = partial(self.execute, construct, send)
        if self._becomes_one(statement, sql, again):
            return None
        if may_be_online(statement) and not self._make_room(sql, statement):
            name = next(made(sql), plain(altered_column(sql)))
            self._database.cut_over.postponed.append(Postponed(name, again, self._timing.line))
            return None
        change = self._timing.takes_over_numbers(sql) or online_change(statement, self._database)
        if change is not None and replaces:
            return self._carry_out(change.replacing, change.index)
        self._new.update(map(plain, new_names(statement)))
        if change is None or plain(change.table) in self._new:
            return self._timing.as_it_stands(sql, directly)
        return self._change(statement, sql, change, directly)

    def show(self) -> None:
        """An operation has been asked for: whoever has taken the driver's connection finds what it does."""
        self._timing.show()

    def _in_batches(self, statement: Executable) -> bool:
        """Whether it has given values to the rows of a large table that have none, a few at a time.

        Not where what the revision has done before is not to be committed yet, or where it has set something that holds
        for its transaction alone.
        """
        attempt, sql = self._attempt, update_written_out(statement)
        if first_word(sql) != "UPDATE" or not attempt.may_commit:
            return False
        if attempt.settings.any_local:
            return False
        if attempt.connection.in_nested_transaction() or self._running.would_leave_gap:
            return False
        # Imported late: few revisions have one.
        from alembic_online.recipes.fill_nulls import as_fill, fill_nulls  # noqa: PLC0415

        if (fill := as_fill(sql)) is None:
            return False
        self._let_go()
        change = fill_nulls(fill, self._database, self._timing.adds_above)
        if change is None or reason_to_be_direct(self._timing.script, change.table):
            return False
        if self._is_direct(f"way of {sql}", change):
            return False
        if not self._timing.overtakes(sql):
            self._timing.carry_out_now(sql)
        # What it copies into a column is not lost when the other one goes.
        with attempt.question() as connection:
            attempt.losses.before(connection, sql, None, held=None, ours=True)
        self._carry_out(change.steps, sql)
        return True

    def _apart(self, statement: TextClause, sql: str) -> list[TextClause]:
        """A statement for each action of one that alters a large table by several, and has no way as it stands."""
        if statement._bindparams or not self._attempt.may_wait or not (parts := actions_apart(sql)):
            return []
        locked = self._attempt.locks.locked_by(sql)
        if not self._timing.large_of(sql, locked) or online_change(statement, self._database) is not None:
            return []
        return [text(each) for each in parts]

    def _joins_types(self, sql: str) -> bool:
        """Whether it is part of a column's change to a type and to another: taken note of, or with the last, done."""
        if self._joined_types is None or not self._attempt.may_wait:
            return False
        joined = self._joined_types.takes(sql, lambda table: is_large(table, self._timing.script, self._database))
        if joined is None:
            return False
        if rows := joined.column.of_rows(sql):
            with self._attempt.question() as connection:
                self._attempt.losses.before(connection, rows, None, held=None, ours=True)
        if joined.is_whole:
            one = joined.column.one
            statement = text(one.replace(":", "\\:"))
            self._make_room(one, statement)
            change = online_change(statement, self._database)
            assert change is not None, "a known database has a way for each change of a type"
            self._timing.refusals.refuse_steps(change.table, one)
            self._carry_out(change.steps, one)
        return True

    def _becomes_one(self, statement: Executable, sql: str, again: Directly) -> bool:
        """Whether it is part of one statement with lines above and below (`recreated_columns`): kept, or done."""
        cut_over = self._database.cut_over
        if (
            not self._attempt.may_wait
            or not cut_over
            or (found := recreated(sql, self._database, self._timing.computed_below)) is None
        ):
            return False
        change = online_change(statement, self._database)
        if not (found.kept or self._timing.large_of(sql, {found.table}) or (change is not None and change.always)):
            return False
        if self._running.comes_back(found.missing):
            cut_over.postponed.append(Postponed("", again, self._timing.line, sql))
            return True
        if found.last.kind != "add":
            return False
        self._let_go()
        if (one := found.change(self._database)) is None:
            return False
        words, change, absorbed = one
        kept = [each for _, each in found.kept]
        cut_over.waiting = [each for each in cut_over.waiting if each not in absorbed]
        cut_over.postponed = [each for each in cut_over.postponed if each not in kept]
        self._carry_out(change.steps, words)
        return True

    def _make_room(self, sql: str, statement: Executable) -> bool:
        """Nothing is planned beside a strong lock, nor before what it needs is there.

        False for what can be done later: an index for which clients would have to miss something, or NOT NULL of a
        column that gets its default below.
        """
        self._let_go()
        cut_over = self._database.cut_over
        if self._timing.waits_for_default(sql):
            return not self._timing.large_of(sql, self._attempt.locks.locked_by(sql))
        if cut_over.gives_up_name(sql, "column") and online_change(statement, self._database) is None:
            return True  # a column in the place of another one: both in the same instant
        if self._is_built_in_place(sql):
            return True  # it is built beside what it takes the name of
        if cut_over.is_in_the_way(sql) or (cut_over and frees_index_name(sql, self._database)):
            if makes_index(sql) and self._running.would_be_missed(sql):
                return False
            self._timing.carry_out_now(sql)
        return True

    def _is_built_in_place(self, sql: str) -> bool:
        # Imported late: it needs the writers of autogenerate, which an upgrade without indexes should not pay for.
        from alembic_online.recipes.index_in_place import in_place  # noqa: PLC0415

        return in_place(sql, self._database) is not None

    def _let_go(self) -> None:
        """Nothing is asked beside a lock, unless clients would miss what is done so far: of small tables, then."""
        if self._attempt.locks.holds and self._attempt.may_commit and not self._running.would_leave_gap:
            self._running.commit()

    def _compiled(self, statement: Executable) -> str:
        assert isinstance(statement, ClauseElement)
        dialect = self._attempt.run.context.dialect
        return str(statement.compile(dialect=dialect)) if self._database.cut_over else ""

    def _change(self, statement: Executable, sql: str, change: OnlineChange, directly: Directly) -> Any:
        """By its online way, if it needs that."""
        words = f"way of {sql}"
        if reason := reason_to_be_direct(self._timing.script, change.table):
            log.info("%s is changed directly: %s", change.table, reason)
            self._timing.carry_out_now()
            return directly()
        if words not in self._running.too_slow and unmet_need(sql, self._database):
            return self._timing.as_it_stands(sql, directly, bounded=words)
        if self._is_direct(words, change):
            return directly() if is_patient(sql) else self._timing.as_it_stands(sql, directly, bounded=words)
        if isinstance(statement, DropIndex) and change.index:
            return self._drop_index(sql, change)
        self._timing.refusals.refuse_steps(change.table, sql)
        change = self._timing.numbers_meanwhile(sql, change)
        if change.after_swap:
            self._timing.carry_out_now(sql)
        return self._carry_out(change.steps, sql)

    def _drop_index(self, sql: str, change: OnlineChange) -> Any:
        """It waits: an index of its name may be made below, and then the two are exchanged."""
        in_transaction = sql.replace("CONCURRENTLY ", "", 1)
        drop = self._running.sending(in_transaction)
        if self._attempt.locks.may_be_undone:
            return self._timing.as_it_stands(in_transaction, drop)
        gone = (*given_up(in_transaction), *unique_index_as_key(change.index, change.table, self._database))
        waiting = Waiting.of(in_transaction, drop, index=change, line=self._timing.line, gives_up=gone)
        self._running.wait(waiting, large=True)
        return None

    def _is_direct(self, words: str, change: OnlineChange) -> bool:
        too_slow = self._running.too_slow
        return self._database.recall_whether(words, lambda: words not in too_slow and is_small(change, self._database))

    def _carry_out(self, steps: Steps, words: str) -> None:
        self._database.look_again()
        self._running.steps(steps, words, self._timing.line)
