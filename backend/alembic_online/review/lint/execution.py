"""Carry out each revision in a scratch database: up to the last of them, then down again, one by one.

All tables count as large there, so that every operation goes the way that it would go in production. One environment
goes all the way up and one all the way down, and the schema is read between two revisions, on a connection that does
nothing else: an environment for each revision, and a schema read twice, were most of the time.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from alembic.runtime.migration import RevisionStep
from alembic.script import Script
from sqlalchemy import Connection

from alembic_online.alembic_seam import dependencies_of, parents_of, with_ancestors, with_descendants
from alembic_online.autogenerate.context import Schema
from alembic_online.postgres.catalogue import Difference, compare, read_catalogue, stay_neutral
from alembic_online.postgres.connection.engine import one_connection
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.errors import UserError
from alembic_online.postgres.scratch import Place, scratch_url
from alembic_online.review.lint.executed_revision import Trial
from alembic_online.review.lint.narrowed_columns import cut_values
from alembic_online.review.plan.chain import chain_place, in_chain_scratch
from alembic_online.review.plan.large_tables import LargeTables
from alembic_online.review.plan.rehearsal import consenting, rehearsing
from alembic_online.review.plan.steps import down, up, upgrade
from alembic_online.revisions.project import Project
from alembic_online.runtime.history import BOOKKEEPING


def try_out(project: Project, place: Place, chosen: Sequence[Script]) -> dict[str, Trial]:
    """The trial of each revision; `chosen` from the oldest on. Raises `UserError`.

    Where one cannot run, a new database goes on beyond it; what comes after an upgrade that fails is not tried.
    """
    trials: dict[str, Trial] = {}

    def scratch(work: Callable[[_Run], list[Script]]) -> list[Script]:
        def prepared(connection: Connection) -> list[Script]:
            target, here = scratch_url(connection), chain_place(project, place)
            with catalogue_reader(target) as reader:
                return work(_Run(project, target, reader, here, trials))

        return in_chain_scratch(project, place, prepared)

    waiting = scratch(lambda run: run.up(chosen)) if chosen else []
    while waiting:
        waiting = scratch(lambda run, rest=waiting: run.down(rest))  # type: ignore[misc]
    return trials


@contextmanager
def catalogue_reader(target: DatabaseURL) -> Iterator[Connection]:
    """A connection for the catalogue alone: it keeps what it has prepared and what it knows of PostgreSQL's tables."""
    engine = one_connection(target)
    try:
        with engine.connect() as connection:
            stay_neutral(connection)
            connection.commit()  # or the first rollback would take the settings back
            yield connection
    finally:
        engine.dispose()


class _Run:
    """In one scratch database. Both ways give what is left to be undone, newest first."""

    def __init__(
        self, project: Project, target: DatabaseURL, reader: Connection, place: Place, trials: dict[str, Trial]
    ) -> None:
        self._project, self._reader, self._place, self._trials = project, reader, place, trials
        self._scripts = project.scripts
        self._trace = LargeTables(target, consenting(project.policy), {})
        self._applied: set[str] = set()
        self._schema = self._read()

    def up(self, scripts: Sequence[Script]) -> list[Script]:
        done: list[Script] = []
        if failed := self._run(lambda: self._upgrades(scripts, done)):
            before = self._schema
            trial = Trial(before, self._read(), tuple(self._trace.statements), failed=f"upgrade: {failed}")
            self._trials[scripts[len(done)].revision] = trial
            if before.catalogue != trial.after.catalogue:
                return done
        return self.down(done) if done else []

    def down(self, scripts: Sequence[Script]) -> list[Script]:
        done: list[Script] = []
        if failed := self._run(lambda: self._downgrades(scripts, done)):
            script, *older = scripts[len(done) :]
            if done and self._schema.catalogue != self._trials[script.revision].after.catalogue:
                return [script, *older]  # what newer ones left may be in its way: again, where they have left nothing
            self._note_downgrade(script, failed=f"downgrade: {failed}")
            return older
        return []

    def _upgrades(self, scripts: Sequence[Script], done: list[Script]) -> Iterator[RevisionStep]:
        for script in scripts:
            yield from self._reach(*_parents(script))
            yield from self._asked(lambda script=script: up(self._scripts, script))  # type: ignore[misc]
            before, self._schema = self._schema, self._read()
            trial = Trial(before, self._schema, tuple(self._trace.statements))
            self._trials[script.revision] = replace(trial, cut=tuple(cut_values(self._reader, trial.differences)))
            self._applied.add(script.revision)
            done.insert(0, script)

    def _downgrades(self, scripts: Sequence[Script], done: list[Script]) -> Iterator[RevisionStep]:
        """What a newer downgrade left is `known`, and not this one's; so is what every run makes otherwise."""
        yield from self._reach(*(script.revision for script in reversed(scripts)))
        known = set(compare(self._trials[scripts[0].revision].after.catalogue, self._schema.catalogue))
        for script in scripts:
            yield from self._uncover(script)
            yield from self._asked(lambda script=script: down(self._scripts, script))  # type: ignore[misc]
            self._applied.discard(script.revision)
            self._schema = self._read()
            differences = compare(self._trials[script.revision].before.catalogue, self._schema.catalogue)
            self._note_downgrade(script, left=tuple(each for each in differences if each not in known))
            known.update(differences)
            done.append(script)

    def _note_downgrade(self, script: Script, *, left: tuple[Difference, ...] = (), failed: str = "") -> None:
        statements = tuple(self._trace.statements)
        self._trials[script.revision] = replace(
            self._trials[script.revision], downgrade=statements, left=left, failed=failed
        )

    def _run(self, steps: Callable[[], Iterator[RevisionStep]]) -> str:
        """Why the revision that is asked about fails, or nothing. Raises `UserError` for one that only leads there."""
        try:
            upgrade(self._project, rehearsing(self._project, self._trace), steps)
        except UserError as error:
            if not self._trace.asked:
                raise
            self._trace.asked = False
            return " ".join(str(error).splitlines()[:2])
        return ""

    def _asked(self, step: Callable[[], RevisionStep]) -> Iterator[RevisionStep]:
        self._trace.begin()
        self._trace.asked = True
        yield step()  # which may be one that is not in the file
        self._trace.asked = False

    def _reach(self, *revisions: str) -> Iterator[RevisionStep]:
        """Have these applied."""
        if self._applied.issuperset(revisions):
            return
        missing = with_ancestors(self._scripts, revisions) - self._applied
        for script in reversed(list(self._scripts.walk_revisions())):
            if script.revision in missing:
                yield up(self._scripts, script)
        self._applied |= missing
        self._schema = self._read()

    def _uncover(self, script: Script) -> Iterator[RevisionStep]:
        """Take back what is built on it: merges, and what nobody asked about."""
        there = with_descendants(self._scripts, script) & self._applied - {script.revision}
        if there:
            for each in self._scripts.walk_revisions():
                if each.revision in there:
                    yield down(self._scripts, each)
        self._applied -= there

    def _read(self) -> Schema:
        catalogue = read_catalogue(self._reader, ignore_tables=BOOKKEEPING)
        self._reader.commit()  # with a ROLLBACK psycopg would forget what it has prepared
        return Schema(catalogue, {}, self._place.schema, self._place.version)


def _parents(script: Script) -> tuple[str, ...]:
    return (*parents_of(script), *dependencies_of(script))
