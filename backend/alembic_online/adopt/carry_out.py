"""Look, say, and do what was said: the line of env.py first, for all that follows goes through it."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Table

from alembic_online.adopt.baseline import baseline_lines, write_baseline
from alembic_online.adopt.env_file import BY_HAND, diff, is_adopted, with_left_alone, with_online
from alembic_online.adopt.project import look, open_as
from alembic_online.adopt.verdict import State, Verdict, judge, of_the_project
from alembic_online.errors import RequestRefused
from alembic_online.postgres.catalogue import describe
from alembic_online.review.plan.rehearsal import Live
from alembic_online.review.stamp_check import PROVEN
from alembic_online.revisions.config_origin import ConfigOrigin
from alembic_online.revisions.project import Project, scripts_of
from alembic_online.runtime.own_thread import outside_of_loops


@dataclass(frozen=True)
class Wish:
    """What was asked for on the command line."""

    revision: str | None = None
    leave_alone: tuple[str, ...] = ()


@dataclass(frozen=True)
class Adoption:
    """What was found, and what would be done about it."""

    config: Config
    env_py: Path
    before: str
    after: str
    """What env.py is going to be."""
    project: Project
    live: Live
    versions: Table
    verdict: Verdict

    @property
    def diff(self) -> str:
        """Of env.py; empty where it stays as it is."""
        return diff(self.before, self.after, self.env_py.name)

    @property
    def writes_baseline(self) -> bool:
        """Whether a first revision is to be written."""
        return self.verdict.state is State.WITHOUT_REVISIONS

    @property
    def has_work(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.diff) or self.writes_baseline or self.verdict.stamp is not None

    def steps(self) -> Iterator[str]:
        """What would be done, a line each."""
        if self.diff:
            yield f"change {self.env_py.name} as shown"
        if self.writes_baseline:
            yield "write a first revision that makes what is there, and stamp it"
        if self.verdict.stamp is not None:
            yield f"alembic stamp {' '.join(self.verdict.stamp) or 'base'}"

    def report(self, done: Sequence[str]) -> Iterator[str]:
        """What was found, what was done, and what is to be done."""
        verdict = self.verdict
        yield verdict.sentence
        if verdict.foreign:
            names = ", ".join(verdict.foreign)
            yield f"In no model and in no revision: {names}. If they are others': --leave-alone"
        if self.diff:
            yield f"\n{self.diff}\n"
        if verdict.differences:
            yield describe(verdict.differences)
            yield f"\nThis would repair it:\n\n{verdict.repair}\n"
        for line in done:
            yield f"Done: {line}."
        if not done and self.has_work:
            yield f"To do: {'; '.join(self.steps())}. Do it: alembic-online adopt --yes"
        if verdict.next_step:
            yield f"Next: {verdict.next_step}"


def look_at(config: Config, wish: Wish) -> Adoption:
    """Look at the project of `config` and its database; nothing is changed. Raises `UserError`."""
    env_py = Path(scripts_of(config).dir) / "env.py"
    before = env_py.read_bytes().decode()
    after = before if is_adopted(before) else with_online(before)
    if after is None:
        raise RequestRefused(
            f"The line of {env_py.name} that is to change was not found.",
            f"Write it by hand, and run this again:\n{BY_HAND}",
        )
    if wish.leave_alone:
        after = _leaving_alone(after, env_py, wish.leave_alone)
    project = open_as(config, env_py, after)
    live, versions = look(project)
    verdict = judge(project, live, versions, wish.revision)
    return Adoption(config, env_py, before, after, project, live, versions, verdict)


def _leaving_alone(source: str, env_py: Path, patterns: Sequence[str]) -> str:
    new = [pattern for pattern in patterns if f'LeaveAlone("{pattern}")' not in source]
    changed = with_left_alone(source, new) if new else source
    if changed is None:
        said = ", ".join(f'LeaveAlone("{pattern}")' for pattern in new)
        raise RequestRefused(
            f"{env_py.name} has no line target_metadata = ... after which to say what is left alone.",
            f"Say it where the models are: declare(metadata, {said})",
        )
    return changed


def carry_out(adoption: Adoption) -> list[str]:
    """Do it; what was done, a line each. Raises `UserError`: what came before it stays done, and can be done again."""
    done = []
    lines = None
    if adoption.writes_baseline:
        mine = of_the_project(adoption.project, adoption.live, adoption.versions)
        lines = baseline_lines(adoption.project, adoption.live, mine)
    if adoption.diff:
        adoption.env_py.write_bytes(adoption.after.encode())
        done.append(f"{adoption.env_py.name} is changed")
    stamp = adoption.verdict.stamp
    if lines is not None:
        written = write_baseline(adoption.project, lines, numbered="run_environment(" in adoption.after)
        again = open_as(adoption.config, adoption.env_py, adoption.after)
        verdict = judge(again, adoption.live, adoption.versions)
        if verdict.stamp is None:
            raise RequestRefused(f"{written.name} makes something else: {verdict.sentence}", "See it, and correct it.")
        stamp = verdict.stamp
        done.append(f"{written.name} is written, and makes what the database has")
    if stamp is not None:
        _stamp(adoption, stamp)
        done.append(f"the database is stamped with {' and '.join(stamp) or 'base'}")
    return done


def _stamp(adoption: Adoption, heads: tuple[str, ...]) -> None:
    config = ConfigOrigin.of(adoption.config).config(io.StringIO())
    config.attributes[PROVEN] = True
    outside_of_loops(lambda: command.stamp(config, list(heads) or ["base"], purge=bool(adoption.live.heads)))
