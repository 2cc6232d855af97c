"""Carry out each revision in a scratch database: up to the last of them, then down again, one by one.

All tables count as large there, so that every operation goes the way that it would go in production.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from alembic.runtime.migration import RevisionStep
from alembic.script import Script
from sqlalchemy import Connection, text

from src.postgres.catalogue import Difference, compare
from src.postgres.errors import UserError
from src.postgres.scratch import Place, in_scratch, scratch_url
from src.safety.autogenerate.context import read_schema
from src.safety.lint.trial import Trial
from src.safety.online.database import TableFacts
from src.safety.plan.rehearse import consenting, rehearsing, run_command, share_session
from src.safety.plan.steps import down, up, upgrade
from src.safety.plan.trace import Trace
from src.safety.project import Project

_STAMPED = text("SELECT to_regclass('alembic_version') IS NOT NULL")
_HEADS = text("SELECT version_num FROM alembic_version")
_ROWS = 100_000_000
_BYTES = 10_000_000_000


def try_out(project: Project, place: Place, chosen: Sequence[Script]) -> dict[str, Trial]:
    """The trial of each revision; `chosen` from the oldest on. Raises `UserError`.

    Where one cannot run, a new database goes on beyond it; what comes after an upgrade that fails is not tried.
    """
    trials: dict[str, Trial] = {}

    def scratch(work: Callable[["_Run"], list[Script]]) -> list[Script]:
        def prepared(connection: Connection) -> list[Script]:
            share_session(connection, place)
            return work(_Run(project, connection, trials))

        return in_scratch(project.target, place, prepared, elsewhere=project.policy.scratch_url)

    waiting = scratch(lambda run: run.up(chosen)) if chosen else []
    while waiting:
        waiting = scratch(lambda run, rest=waiting: run.down(rest))  # type: ignore[misc]
    return trials


class _Large(Trace):
    def facts(self, there: TableFacts) -> TableFacts:
        return replace(there, rows=_ROWS, bytes=_BYTES, heap_bytes=_BYTES)


class _Run:
    """In one scratch database. Both ways give what is left to be undone, newest first."""

    def __init__(self, project: Project, connection: Connection, trials: dict[str, Trial]) -> None:
        self._project, self._connection, self._trials = project, connection, trials
        self._scripts = project.scripts

    def up(self, scripts: Sequence[Script]) -> list[Script]:
        done: list[Script] = []
        for script in scripts:
            self._reach(*_parents(script))
            if not self._upgrade(script):
                trial = self._trials[script.revision]
                return self.down(done) if done and trial.before.catalogue == trial.after.catalogue else done
            done.insert(0, script)
        return self.down(done)

    def down(self, scripts: Sequence[Script]) -> list[Script]:
        self._reach(*(script.revision for script in reversed(scripts)))
        last = self._trials[scripts[0].revision].after
        known = set(compare(last.catalogue, read_schema(self._connection).catalogue))
        for at, script in enumerate(scripts, start=1):
            self._uncover(script)
            if not self._downgrade(script, known):
                return list(scripts[at:])
        return []

    def _upgrade(self, script: Script) -> bool:
        before = read_schema(self._connection)
        trace, failed = self._try("upgrade", lambda: up(self._scripts, script))
        after = read_schema(self._connection)
        self._trials[script.revision] = Trial(before, after, tuple(trace.statements), failed=failed)
        return not failed

    def _downgrade(self, script: Script, known: set[Difference]) -> bool:
        """What a newer downgrade left is `known`, and not this one's; so is what every run makes otherwise."""
        trace, failed = self._try("downgrade", lambda: down(self._scripts, script))
        trial = self._trials[script.revision]
        differences = compare(trial.before.catalogue, read_schema(self._connection).catalogue)
        left = () if failed else tuple(each for each in differences if each not in known)
        known.update(differences)
        self._trials[script.revision] = replace(trial, downgrade=tuple(trace.statements), left=left, failed=failed)
        return not failed

    def _try(self, name: str, step: Callable[[], RevisionStep]) -> tuple[Trace, str]:
        trace = self._trace()
        try:
            steps = [step()]
            upgrade(self._project, rehearsing(self._project, trace), lambda: iter(steps))
        except UserError as error:
            return trace, f"{name}: {' '.join(str(error).splitlines()[:2])}"
        return trace, ""

    def _reach(self, *revisions: str) -> None:
        """Have these applied."""
        applied = self._applied()
        for revision in revisions:
            if revision not in applied:
                run_command(self._project, self._trace(), "upgrade", revision)
                applied = self._applied()

    def _uncover(self, script: Script) -> None:
        """Take back what is built on it: merges, and what nobody asked about."""
        applied = self._applied()
        above = self._scripts.revision_map._get_descendant_nodes([script], include_dependencies=True)
        there = {each.revision for each in above} & applied - {script.revision}
        steps = [down(self._scripts, each) for each in self._scripts.walk_revisions() if each.revision in there]
        if steps:
            upgrade(self._project, rehearsing(self._project, self._trace()), lambda: iter(steps))

    def _applied(self) -> set[str]:
        if not self._connection.scalar(_STAMPED):
            return set()
        heads = self._connection.scalars(_HEADS).all()
        return {each.revision for each in self._scripts.iterate_revisions(tuple(heads), "base")} if heads else set()

    def _trace(self) -> Trace:
        return _Large(scratch_url(self._connection), consenting(self._project.policy), {})


def _parents(script: Script) -> tuple[str, ...]:
    return (*script._versioned_down_revisions, *script._resolved_dependencies)
