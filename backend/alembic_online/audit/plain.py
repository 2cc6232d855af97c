"""Each revision as plain Alembic runs it, in a scratch database: up for good, and down for a look.

A revision is a transaction of its own, as in a deployment that brings one. The downgrade runs in one that is rolled
back, so a chain whose downgrades fail costs no more than another: nothing has to be made a second time. Only where a
revision leaves its transaction, and does not come back to what it made, a new database is made for what comes after.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import Script
from sqlalchemy import Connection, event, pool, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from alembic_online.alembic_seam import dependencies_of, parents_of
from alembic_online.audit.stand_ins import REFUSES_ROWS
from alembic_online.autogenerate.context import Schema
from alembic_online.failures.revision_failure import explain_revision_failure
from alembic_online.postgres import sqlstate as state
from alembic_online.postgres.catalogue import Difference, compare, prepare_to_read, read_catalogue
from alembic_online.postgres.connection.engine import revision_engine
from alembic_online.postgres.errors import UserError
from alembic_online.postgres.scratch import Place, scratch_url
from alembic_online.review.lint.executed_revision import Trial
from alembic_online.review.lint.execution import catalogue_reader
from alembic_online.review.lint.narrowed_columns import cut_values
from alembic_online.review.plan.chain import chain_place, in_chain_scratch
from alembic_online.review.plan.large_tables import LargeTables
from alembic_online.review.plan.rehearsal import consenting
from alembic_online.revisions.project import Project
from alembic_online.revisions.source_line import line_of
from alembic_online.runtime.history import BOOKKEEPING
from alembic_online.runtime.own_thread import outside_of_loops
from alembic_online.runtime.rehearsal import NextStatement

_ABORTED = "25P02"
_READS = ("SELECT", "SHOW", "SET", "RESET", "EXPLAIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")
# A revision that opens a second connection may wait there for its own locks, for ever.
_LIMITS = "SET lock_timeout = '20s'", "SET idle_in_transaction_session_timeout = 0"
# What plain Alembic would make by itself, for revisions that speak of it; wide enough for every id.
_VERSIONS = "CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(255) PRIMARY KEY)"
_UNSTAMP = text("DELETE FROM alembic_version WHERE version_num = :revision")
_STAMP = text("INSERT INTO alembic_version VALUES (:revision) ON CONFLICT DO NOTHING")


@dataclass
class PlainWalk:
    """What came of it."""

    trials: dict[str, Trial] = field(default_factory=dict)
    """Of each revision that could be applied, and of each that could not, which says why."""
    not_looked_at: dict[str, str] = field(default_factory=dict)
    """The others, and the revision that stands in their way."""

    @property
    def complete(self) -> bool:
        """Whether the heads were reached."""
        return not self.not_looked_at and all(map(is_applied, self.trials.values()))


AtHead = Callable[[MigrationContext], None]
Told = Callable[[str], None]


def walk_plainly(
    project: Project, options: Mapping[str, Any], place: Place, chain: Sequence[Script], told: Told, at_head: AtHead
) -> PlainWalk:
    """Run `chain`, from the oldest on. `told` hears of each revision, `at_head` gets the database with all of them.

    `options` are those of `context.configure` that decide what is compared.
    """
    walk = PlainWalk()
    rest = list(chain)
    applied: list[Script] = []
    while rest:

        def work(connection: Connection, rest: list[Script] = rest) -> list[Script]:
            target = scratch_url(connection)
            with catalogue_reader(target) as reader:
                here = chain_place(project, place)
                trace = LargeTables(target, consenting(project.policy), {})
                run = _Run(project, options, trace, reader, here, walk)
                return outside_of_loops(lambda: asyncio.run(run.go(applied, rest, told, at_head)))

        rest = in_chain_scratch(project, place, work)
    return walk


class _Run:
    """In one scratch database."""

    def __init__(
        self,
        project: Project,
        options: Mapping[str, Any],
        trace: LargeTables,
        reader: Connection,
        place: Place,
        walk: PlainWalk,
    ) -> None:
        self._project, self._options, self._trace, self._reader = project, options, trace, reader
        self._place, self._walk = place, walk
        self._schema = self._read(reader)
        self._left_transaction = False
        self._revision = ""
        self._passed_over = ""
        """The last error of the database in this revision, if it goes on all the same."""

    async def go(self, applied: list[Script], rest: list[Script], told: Told, at_head: AtHead) -> list[Script]:
        """Those that another database is needed for; `applied` grows."""
        engine = revision_engine(self._trace.target, application_name="alembic-online audit", poolclass=pool.NullPool)
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(self._in_environment, applied, rest, told, at_head)
        finally:
            await engine.dispose()

    def _in_environment(
        self, connection: Connection, applied: list[Script], rest: list[Script], told: Told, at_head: AtHead
    ) -> list[Script]:
        for statement in (*_LIMITS, _VERSIONS):
            connection.execute(text(statement))
        prepare_to_read(connection)
        connection.commit()
        with EnvironmentContext(self._project.config, self._project.scripts) as environment:
            environment.configure(connection=connection, target_metadata=self._project.metadata, **self._options)
            context = environment.get_context()
            with self._watched(connection):
                for script in applied:
                    self._upgrade(context, script)
                self._schema = self._read(self._reader)
                for number, script in enumerate(rest, 1):
                    told(script.revision)
                    if not self._one(context, script, applied):
                        return rest[number:]
            if self._walk.complete:
                at_head(context)
        return []

    def _one(self, context: MigrationContext, script: Script, applied: list[Script]) -> bool:
        """Whether the database is fit for the next one."""
        if way := self._in_the_way(script):
            self._walk.not_looked_at[script.revision] = way
            return True
        before = self._schema
        failed = self._asked(context, script)
        self._schema = self._read(self._reader)
        statements = tuple(self._trace.statements)
        if failed:
            self._walk.trials[script.revision] = Trial(before, before, statements, failed=f"upgrade: {failed}")
            return before.catalogue == self._schema.catalogue
        trial = Trial(before, self._schema, statements)
        trial = replace(trial, cut=tuple(cut_values(self._reader, trial.differences)))
        applied.append(script)
        left, failed = self._downgrade(context, script, before)
        self._walk.trials[script.revision] = replace(trial, left=left, failed=failed and f"downgrade: {failed}")
        return not self._left_transaction or self._comes_back(context, script)

    def _in_the_way(self, script: Script) -> str:
        for parent in (*parents_of(script), *dependencies_of(script)):
            if parent in self._walk.not_looked_at:
                return self._walk.not_looked_at[parent]
            if not is_applied(self._walk.trials[parent]):
                return parent
        return ""

    def _asked(self, context: MigrationContext, script: Script) -> str:
        self._trace.begin()
        self._revision, self._passed_over = script.revision, ""
        self._trace.asked = True
        return self._upgrade(context, script)

    def _upgrade(self, context: MigrationContext, script: Script) -> str:
        """With the stamp at its end, which fails where the revision has passed over an error of the database."""

        def stamped() -> None:
            try:
                script.module.upgrade()
            finally:
                self._trace.asked = False
            stamp(context, script)

        return self._execute(context, stamped)

    def _downgrade(
        self, context: MigrationContext, script: Script, before: Schema
    ) -> tuple[tuple[Difference, ...], str]:
        """How the schema differs after it from that before the upgrade, and why it fails."""
        self._left_transaction = False
        downgrade = getattr(script.module, "downgrade", None)
        if downgrade is None:
            return (), ""
        left: list[Difference] = []

        def look() -> None:
            downgrade()
            connection = context.connection
            assert connection is not None, "this is no script"
            left.extend(compare(before.catalogue, self._read(connection).catalogue))
            raise _LookedAt

        failed = self._execute(context, look)
        return tuple(left), failed

    def _comes_back(self, context: MigrationContext, script: Script) -> bool:
        """After a downgrade that left its transaction: whether the upgrade makes the same again."""
        made = self._schema.catalogue
        if self._read(self._reader).catalogue == made:
            return True
        return not self._upgrade(context, script) and self._read(self._reader).catalogue == made

    def _execute(self, context: MigrationContext, function: Callable[[], Any]) -> str:
        """In a transaction, which is committed; why it fails, in a sentence."""
        try:
            with Operations.context(context), context.begin_transaction():
                function()
        except _LookedAt:
            pass
        except (Exception, SystemExit) as error:
            return self._in_words(error)
        finally:
            assert context.connection is not None, "this is no script"
            if context.connection.in_transaction():
                context.connection.rollback()
        return ""

    def _in_words(self, error: BaseException) -> str:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise error  # nobody waits for the walk any more, or the server is gone
        if isinstance(error, UserError):
            return error.problem
        if isinstance(error, Exception):
            known = explain_revision_failure(error, self._project.scripts, self._trace.target.place)
            if known is not None:
                return known.problem.replace(REFUSES_ROWS, "an index of an extension that is not here takes no row")
        if state.sqlstate(error) == _ABORTED:
            return f"{self._revision}{self._passed_over}, which it passes over: its transaction is at an end."
        return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"

    @contextmanager
    def _watched(self, connection: Connection) -> Iterator[None]:
        """The trace sees each statement but those that only read."""
        looking = False

        def before(_: object, __: object, statement: str, *___: object) -> None:
            nonlocal looking
            if looking:
                return
            outside = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
            self._left_transaction |= outside
            if self._trace.asked and not statement.lstrip("( \n\t").upper().startswith(_READS):
                looking = True
                try:
                    self._trace.before(connection, NextStatement(self._revision, statement, outside, None))
                finally:
                    looking = False

        def after(*_: object) -> None:
            nonlocal looking
            if self._trace.asked and not looking:
                looking = True
                try:
                    self._trace.after(connection)
                finally:
                    looking = False

        def failed(context: ExceptionContext) -> None:
            if self._trace.asked and not looking:
                line, says = line_of(self._revision), state.server_message(context.original_exception)
                self._passed_over = f", line {line} failed: {says}"

        event.listen(connection.engine, "handle_error", failed)
        event.listen(connection, "before_cursor_execute", before)
        event.listen(connection, "after_cursor_execute", after)
        try:
            yield
        finally:
            event.remove(connection, "before_cursor_execute", before)
            event.remove(connection, "after_cursor_execute", after)
            event.remove(connection.engine, "handle_error", failed)

    def _read(self, connection: Connection) -> Schema:
        catalogue = read_catalogue(connection, ignore_tables=BOOKKEEPING)
        if connection is self._reader:
            connection.commit()  # with a ROLLBACK psycopg would forget what it has prepared
        return Schema(catalogue, {}, self._place.schema, self._place.version)


def stamp(context: MigrationContext, script: Script) -> None:
    """The revision stands where its parents stood."""
    assert context.connection is not None, "this is no script"
    for parent in parents_of(script):
        context.connection.execute(_UNSTAMP, {"revision": parent})
    context.connection.execute(_STAMP, {"revision": script.revision})


class _LookedAt(Exception):
    """Rolls a downgrade back that was looked at."""


def is_applied(trial: Trial) -> bool:
    """Whether its upgrade could run."""
    return not trial.failed.startswith("upgrade:")
